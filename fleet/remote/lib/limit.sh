# shellcheck shell=sh
# limit.sh: limits how long a command may run.

# limit SECONDS COMMAND... runs a program and returns its exit status, or 124 if it had to be killed
# because it took longer. The program stays in the process group of the job.
limit() {
  limit_seconds=$1
  shift
  "$@" &
  limit_child=$!
  (watch_limit) >/dev/null 2>&1 &
  limit_watch=$!
  limit_status=0 limit_over=0
  wait "$limit_child" || limit_status=$?
  # Not TERM: a subshell keeps the handlers of this shell's traps until it has reset them, and dash
  # and bash lose a signal that arrives before that. USR1 has no handler here, so an early one kills
  # the watch, and the shell prints a message.
  kill -USR1 "$limit_watch" 2>/dev/null || :
  wait "$limit_watch" 2>/dev/null || limit_over=$?
  [ "$limit_over" != 3 ] || limit_status=124
  return "$limit_status"
}

# watch_limit ends the child when its time is over, and exits with 3 if it had to. SIGUSR1 stops the
# watch. It can come at any time, also while $nap is not known yet.
watch_limit() {
  nap='' watch_stopped=''
  trap 'watch_stopped=yes; [ -z "$nap" ] || kill -KILL "$nap" || :' USR1
  watch_sleep "$limit_seconds"
  [ -z "$watch_stopped" ] || exit 0
  kill -TERM "$limit_child" || :
  watch_sleep 10
  [ -n "$watch_stopped" ] || kill -KILL "$limit_child" || :
  exit 3
}

# watch_sleep SECONDS sleeps until the watch is stopped, and leaves no process behind.
watch_sleep() {
  sleep "$1" &
  nap=$!
  [ -z "$watch_stopped" ] || kill -KILL "$nap" || :
  wait "$nap" || :
  nap=''
}
