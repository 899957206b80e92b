# shellcheck shell=sh
# origin.sh: finds the remote that the branch comes from.
#
# uses: git
# inputs: branch

# find_origin sets $origin to the name of the remote.
find_origin() { origin=$(git_ config "branch.$branch.remote") || origin=origin; }
