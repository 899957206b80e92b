# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154
# end.sh: ends a job that has not begun to activate, with all its children. One that has is left to finish.

# end_job: the job $id in $dir. False, with the reason in $refusal, where it cannot be ended.
end_job() {
  refusal=finished
  [ ! -e "$dir/result" ] || return 1
  refusal=activating
  ln -s cancel "$dir/gate" 2>/dev/null || [ "$(readlink "$dir/gate")" = cancel ] || return 1
  if alive "$id"; then
    # Its process group, without the -- that dash and busybox do not know here.
    kill -TERM "-$alive_pid" 2>/dev/null || :
    naps=0
    until [ -e "$dir/result" ] || [ $naps = 100 ]; do
      naps=$((naps + 1))
      sleep 0.1
    done
    if [ ! -e "$dir/result" ]; then
      kill -KILL "-$alive_pid" 2>/dev/null || :
      sleep 0.2
    fi
  fi
  read -r nonce <"$dir/nonce"
  read -r kind <"$dir/kind"
  settle
  refusal=stuck
  [ -e "$dir/result" ]
}
