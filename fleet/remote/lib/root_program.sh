# shellcheck shell=sh
# root_program.sh: finds the program that makes the login user root.
#
# inputs: root_by

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
