# shellcheck shell=sh
# sudo.sh: runs commands as root. The script that uses it sets $prompt.
#
# Only sudo can be given a password: doas and run0 read one from a terminal only (doas.c of OpenDoas
# has readpassphrase with RPP_REQUIRE_TTY, run0 leaves it to polkit), and a session has none.
#
# uses: root_program

# as_root COMMAND... runs a command as root. It sets $root_status to its exit status, or to that of
# sudo, and $root_output to what it printed. If $prompt is not empty, sudo prints that on standard
# error and reads the password from standard input. Otherwise sudo fails if it needs a password.
# With run0, nothing that the command starts outlives it.
as_root() {
  root_status=0
  if [ "$(id -u)" = 0 ]; then
    root_output=$("$@" 2>&1 </dev/null) || root_status=$?
  elif ! find_root_program; then
    root_output='' root_status=127
  else
    case $root_program in
      */doas) root_output=$(LC_ALL=C "$root_program" -n -- "$@" 2>&1 </dev/null) || root_status=$? ;;
      */run0) root_output=$(LC_ALL=C "$root_program" --no-ask-password -- "$@" 2>&1 </dev/null) || root_status=$? ;;
      *)
        if [ -n "$prompt" ]; then
          root_output=$("$root_program" -S -k -p "$prompt" -- "$@") || root_status=$?
        else
          root_output=$(LC_ALL=C "$root_program" -n -- "$@" 2>&1 </dev/null) || root_status=$?
        fi
        ;;
    esac
  fi
}
