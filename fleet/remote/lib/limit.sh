# shellcheck shell=sh
# limit.sh: limits how long a command may run.

# limit SECONDS COMMAND... runs a program and returns its exit status, or 124 if it had to be killed
# because it took longer. The program stays in the process group of the job.
limit() {
  limit_seconds=$1
  shift
  "$@" &
  limit_child=$!
  (
    nap='' watch_status=0
    trap 'kill $nap 2>/dev/null || :; exit "$watch_status"' TERM
    sleep "$limit_seconds" &
    nap=$!
    wait "$nap"
    watch_status=3
    kill -TERM "$limit_child"
    sleep 10 &
    nap=$!
    wait "$nap"
    kill -KILL "$limit_child"
    exit "$watch_status"
  ) >/dev/null 2>&1 &
  limit_watch=$!
  limit_status=0 limit_over=0
  wait "$limit_child" || limit_status=$?
  kill "$limit_watch" 2>/dev/null || :
  # If it is killed before it has set its trap, the shell prints a message.
  wait "$limit_watch" 2>/dev/null || limit_over=$?
  [ "$limit_over" != 3 ] || limit_status=124
  return "$limit_status"
}
