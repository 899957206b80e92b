# shellcheck shell=sh
# exec.sh: runs the operator's own command, its only parameter, with the PATH that a job has.

main() { exec /bin/sh -c "$1" </dev/null; }
