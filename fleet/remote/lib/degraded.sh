# shellcheck shell=sh
# degraded.sh: collects the problems of a host that was switched.
#
# uses: encode notice

# degraded CODE [KEY=VALUE...] keeps the first problem in $problem for the end of the job, and
# reports later ones as warnings.
degraded() {
  if [ -n "$problem" ]; then
    notice warn "$@"
    return
  fi
  problem=$1
  shift
  encode "$@"
  problem_fields=$fields
}
