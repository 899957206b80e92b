# shellcheck shell=sh
# output.sh: finds what an activation printed.

# output_since SIZE prints the part of the log after its first SIZE bytes.
output_since() { tail -c "+$(($1 + 1))" "$dir/log"; }
