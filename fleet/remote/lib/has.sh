# shellcheck shell=sh
# has.sh: checks for a command.

# has COMMAND reports whether the host has the command.
has() { command -v "$1" >/dev/null 2>&1; }
