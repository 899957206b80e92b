# shellcheck shell=sh
# rollback_ending.sh: composes the end of a log of a job that went back to what ran before.
#
# uses: ending

# compose_rollback RUNNING [KEY=VALUE...] sets $ending according to $verdict: "back CODE", or
# "incomplete CODE WHAT EXIT" if looking at the host showed that it is not what it was before.
# RUNNING is what the host runs now.
compose_rollback() {
  running=$1
  shift
  case $verdict in
    back*)
      compose_ending rolled-back "${verdict#back }" "$@"
      return
      ;;
  esac
  rollback=${verdict#incomplete }
  cause=${rollback%% *} rollback=${rollback#* }
  compose_ending degraded rollback-failed "cause=$cause" "left=${rollback% *}" "back=${rollback##* }" "runs=$running" "$@"
}
