# shellcheck shell=sh
# limit.sh: limits how long a command may run.

# term_trap is what the script does on SIGTERM, as the trap command takes it.
term_trap=-

# limit SECONDS COMMAND... runs a program and returns its exit status, or 124 if it had to be killed
# because it took longer. The program stays in the process group of the job.
limit() {
  limit_seconds=$1
  shift
  # A subshell keeps the handlers of traps until it has reset them. A signal that comes earlier is
  # lost in dash and bash, and the watch would sleep to its end. So it starts without a handler.
  trap - TERM
  "$@" &
  limit_child=$!
  (watch_limit) >/dev/null 2>&1 &
  limit_watch=$!
  trap "$term_trap" TERM
  limit_status=0 limit_over=0
  wait "$limit_child" || limit_status=$?
  kill "$limit_watch" 2>/dev/null || :
  # If it is killed before it has set its trap, the shell prints a message.
  wait "$limit_watch" 2>/dev/null || limit_over=$?
  [ "$limit_over" != 3 ] || limit_status=124
  return "$limit_status"
}

# watch_limit ends the child when its time is over, and exits with 3 if it had to. SIGTERM stops the
# watch. It can come at any time, also while $nap is not known yet.
watch_limit() {
  nap='' watch_stopped=''
  trap 'watch_stopped=yes; [ -z "$nap" ] || kill -KILL "$nap" || :' TERM
  watch_sleep "$limit_seconds"
  [ -z "$watch_stopped" ] || exit 0
  kill -TERM "$limit_child" || :
  watch_sleep 10
  [ -n "$watch_stopped" ] || kill -KILL "$limit_child" || :
  exit 3
}

# watch_sleep SECONDS sleeps until the watch is stopped, and leaves no process behind. SIGTERM could be
# lost in the process that becomes sleep, like above; SIGKILL cannot.
watch_sleep() {
  sleep "$1" &
  nap=$!
  [ -z "$watch_stopped" ] || kill -KILL "$nap" || :
  wait "$nap" || :
  nap=''
}
