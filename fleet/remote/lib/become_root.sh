# shellcheck shell=sh
# become_root.sh: runs a command as root with the standard input and output of the script. That
# as_root can was checked before. The script that uses it sets $prompt.
#
# uses: root_program

# become_root COMMAND... does not return.
become_root() {
  if [ "$(id -u)" = 0 ]; then exec "$@"; fi
  find_root_program || exit 127
  case $root_program in
    */doas) exec "$root_program" -n -- "$@" ;;
    */run0) exec "$root_program" --no-ask-password -- "$@" ;;
  esac
  if [ -n "$prompt" ]; then exec "$root_program" -S -k -p "$prompt" -- "$@"; fi
  exec "$root_program" -n -- "$@"
}
