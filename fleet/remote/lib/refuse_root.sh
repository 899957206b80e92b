# shellcheck shell=sh
# refuse_root.sh: refuses what could not be done as root.
#
# uses: refuse sudo

# refuse_root refuses because as_root failed.
refuse_root() {
  if [ "$(id -u)" != 0 ] && ! find_root_program; then refuse no-sudo "with=$root_by"; fi
  root_text=$(printf '%s' "$root_output" | head -c 300)
  # Other statuses than 1 are those of the command.
  case $root_status:${root_program:-} in
    1:*/doas | 1:*/run0) refuse no-root "with=${root_program##*/}" "user=$user" "text=$root_text" ;;
  esac
  if [ -n "$prompt" ] && [ "$root_status" = 1 ]; then refuse sudo-wrong; fi
  case $root_output in
    *password* | *'authentication is required'*) refuse sudo-password ;;
  esac
  refuse sudo-denied "text=$root_text"
}
