# shellcheck shell=sh
# output.sh: finds what an activation printed.

# output_since SIZE prints the part of the log after its first SIZE bytes. In the root half,
# $own_log is its own.
output_since() { tail -c "+$(($1 + 1))" "${own_log:-$dir/log}"; }
