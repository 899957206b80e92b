# shellcheck shell=sh
# exec.sh: runs the operator's own command, its only parameter, with the PATH that a job has. It is
# evaluated here, because the arguments of another shell could be read by every user of the host.

main() {
  exec </dev/null
  set +eu
  unset sysroot user wrappers system_path
  eval "shift
$1"
}
