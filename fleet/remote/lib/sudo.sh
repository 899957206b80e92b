# shellcheck shell=sh
# sudo.sh: runs commands as root. The script that uses it sets $prompt.
#
# Only sudo can be given a password: doas and run0 read one from a terminal only (doas.c of OpenDoas
# has readpassphrase with RPP_REQUIRE_TTY, run0 leaves it to polkit), and a session has none.
#
# inputs: root_by

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

# find_root_program sets $root_program to the path of the program that makes a user root, or fails.
# It looks only where root installs programs: a program of that name elsewhere in the user's PATH
# could be there to get the password. run0 is an ordinary program, so NixOS has no wrapper of it.
find_root_program() {
  case $root_by in
    auto) set -- sudo doas run0 ;;
    *) set -- "$root_by" ;;
  esac
  for root_name in "$@"; do
    root_dir_of_nixos=$wrappers
    if [ "$root_name" = run0 ]; then root_dir_of_nixos=$sysroot/run/current-system/sw/bin; fi
    for root_program in "$root_dir_of_nixos/$root_name" "$sysroot/usr/bin/$root_name"; do
      if [ -x "$root_program" ]; then return; fi
    done
  done
  root_program=''
  return 1
}
