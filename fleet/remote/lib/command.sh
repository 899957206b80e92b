# shellcheck shell=sh
# command.sh: keeps the user's own commands out of the arguments of processes, which every user of
# the host can read.

# write_command TEXT writes $dir/command, a script for sh.
write_command() { (umask 077 && printf '%s\n' "$1" >"$dir/command"); }
