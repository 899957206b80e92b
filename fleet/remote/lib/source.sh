# shellcheck shell=sh
# source.sh: finds the repository from which this host builds for others.
#
# uses: state
# inputs: remote

# find_source sets $checkout to the clone that all such builds share. It has no working tree.
find_source() { checkout=$state/sources/$(printf '%s' "$remote" | cksum | cut -d' ' -f1); }
