# shellcheck shell=sh
# origin.sh: finds the remote that the branch comes from.
#
# uses: git
# inputs: branch

origin=''

# find_origin sets $origin to the name of the remote, unless it is set.
find_origin() { [ -n "$origin" ] || origin=$(git_ config "branch.$branch.remote") || origin=origin; }
