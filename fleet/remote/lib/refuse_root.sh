# shellcheck shell=sh
# refuse_root.sh: refuses what could not be done as root.
#
# uses: find_sudo refuse sudo

# refuse_root refuses because as_root failed.
refuse_root() {
  if [ "$(id -u)" != 0 ] && ! find_sudo; then refuse no-sudo; fi
  # Other statuses than 1 are those of the command.
  if [ -n "$prompt" ] && [ "$root_status" = 1 ]; then refuse sudo-wrong; fi
  case $root_output in
    *password* | *'authentication is required'*) refuse sudo-password ;;
  esac
  refuse sudo-denied "text=$(printf '%s' "$root_output" | head -c 300)"
}
