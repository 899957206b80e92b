# shellcheck shell=sh
# sudo.sh: runs commands as root. The script that uses it sets $prompt.
#
# uses: find_sudo

# as_root COMMAND... runs a command as root. It sets $root_status to its exit status, or to that of
# sudo, and $root_output to what it printed. If $prompt is not empty, sudo prints that on standard
# error and reads the password from standard input. Otherwise sudo fails if it needs a password.
as_root() {
  root_status=0
  if [ "$(id -u)" = 0 ]; then
    root_output=$("$@" 2>&1 </dev/null) || root_status=$?
  elif ! find_sudo; then
    root_output='' root_status=127
  elif [ -n "$prompt" ]; then
    root_output=$("$sudo" -S -k -p "$prompt" -- "$@") || root_status=$?
  else
    root_output=$(LC_ALL=C "$sudo" -n -- "$@" 2>&1 </dev/null) || root_status=$?
  fi
}
