# shellcheck shell=sh
# generations.sh: lists the generations of $profile.

# generations prints their numbers in no particular order.
generations() { for link in "$profile"-*-link; do echo "$link"; done | sed -n 's/.*-\([0-9][0-9]*\)-link$/\1/p'; }
