# shellcheck shell=sh
# exec.sh: runs the operator's own command, given as one argument, with the PATH that a job has.

main() { exec /bin/sh -c "$1" </dev/null; }
