# shellcheck shell=sh
# mark.sh: prints markers, the lines of a log that fleetctl understands. Standard output is the log.

# mark WORD... prints a marker.
mark() { printf '%s %s\n' "$nonce" "$*"; }
