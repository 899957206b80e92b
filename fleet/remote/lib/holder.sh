# shellcheck shell=sh
# holder.sh: finds the job that holds the host.
#
# uses: job_lives state

# find_holder reports whether a living job holds the host, and sets $holder to its ID.
find_holder() { holder=$(readlink "$state/lock" 2>/dev/null) && job_lives "$holder"; }
