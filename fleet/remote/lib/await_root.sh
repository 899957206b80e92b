# shellcheck shell=sh
# await_root.sh: waits for the root half of the job.
#
# uses: fail fast_tail log_size put relay root_lives

# await_root activated|concluded waits for the answer and sets $root_answer to it, or to "gone" if
# the root half died after it had activated. If it died while it activated, nothing more is known
# than that. Meanwhile the log gets what the root half prints.
await_root() {
  find_root_dir
  start_relay
  root_naps=0
  until [ -e "$root_dir/$1" ]; do
    root_naps=$((root_naps + 1))
    if [ $((root_naps % 50)) = 0 ] && ! root_lives && [ ! -e "$root_dir/$1" ]; then
      finish_relay
      if [ "$1" = activated ] && [ -e "$root_dir/started" ]; then finish degraded root-gone during=activate; fi
      if [ "$1" = activated ]; then fail root-gone; fi
      root_answer=gone
      return
    fi
    if [ "$root_naps" -lt 100 ]; then sleep 0.1; else sleep 0.5; fi
  done
  finish_relay
  read -r root_answer <"$root_dir/$1"
}

# start_relay copies in the background as the log of the root half grows.
start_relay() {
  find_relayed
  put "$dir/relay" "$log_size $relayed"
  find_tail
  # shellcheck disable=SC2086 # several words
  $tail -c "+$((relayed + 1))" -f <"$root_dir/log" 2>/dev/null &
  relay_pid=$!
}

# finish_relay copies the rest.
finish_relay() {
  # Not TERM, which is lost if it arrives before the subshell has reset the traps of this shell.
  kill -KILL "$relay_pid" 2>/dev/null || :
  wait "$relay_pid" 2>/dev/null || :
  relay_rest
}
