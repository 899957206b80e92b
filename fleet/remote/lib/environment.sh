# shellcheck shell=sh
# environment.sh: keeps the environment of a login for a shell that starts without it.

# print_environment prints commands that restore the environment. bash exits if a script sets one of
# its constants, so that is allowed to fail.
print_environment() {
  set -- BASHOPTS EUID PPID SHELLOPTS UID
  for constant in "$@"; do
    shift
    set -- "$@" -e "s:^export \($constant\)=.*:command & 2>/dev/null || export \1:"
  done
  export -p | sed "$@"
}
