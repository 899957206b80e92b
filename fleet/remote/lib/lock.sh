# shellcheck shell=sh
# lock.sh: allows one job on a host at a time.
#
# The lock is a symbolic link whose target is the ID of the job that holds it: ln -s creates it
# together with its content, or fails. Only the holder removes it, or the process that won the right
# to do so from a holder that is dead.
#
# uses: claim job_lives

# lock JOB takes the host for the job. If another job holds it, it sets $holder to that one, and
# fails unless that one is dead.
lock() {
  until ln -s "$1" "$state/lock" 2>/dev/null; do
    holder=$(readlink "$state/lock" 2>/dev/null) || continue
    if job_lives "$holder"; then return 1; fi
    mkdir -p "$state/jobs/$holder"
    claim "$state/jobs/$holder/takeover" || return 1
    if [ "$(readlink "$state/lock" 2>/dev/null)" = "$holder" ]; then rm -f "$state/lock"; fi
  done
}
