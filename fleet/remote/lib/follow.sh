# shellcheck shell=sh
# follow.sh: prints the log of a job from an offset to its end.
#
# uses: answer fast_tail refuse settle
# inputs: offset

follow() {
  read -r nonce <"$dir/nonce" || refuse unreadable
  echo "${SSH_CONNECTION:-}" >>"$dir/connections"
  settle
  answer following "$nonce" "$offset"
  if [ -e "$dir/result" ]; then
    tail -c "+$((offset + 1))" "$dir/log"
    return
  fi
  find_tail
  # shellcheck disable=SC2086 # several words
  $tail -c "+$((offset + 1))" -f "$dir/log" 2>/dev/null &
  tail_pid=$!
  # The reader leaves when it has seen the end marker. This is for a slow one, which asks again from
  # where it is.
  until [ -e "$dir/result" ]; do
    sleep 1
    kill -0 "$tail_pid" 2>/dev/null || return 0
    settle
  done
  sleep 2
  kill "$tail_pid" 2>/dev/null || :
}
