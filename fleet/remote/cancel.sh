# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154
# cancel.sh: ends a job that has not begun to activate, with all its children. One that has is left to finish.

main() {
  take "$@"
  this_boot=$(boot)
  dir=$jobs/$id
  [ -d "$dir" ] || { answer absent; return; }
  [ ! -e "$dir/result" ] || refuse finished
  ln -s cancel "$dir/gate" 2>/dev/null || [ "$(readlink "$dir/gate")" = cancel ] || refuse activating
  read -r nonce <"$dir/nonce"
  read -r kind <"$dir/kind"
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
  settle
  [ -e "$dir/result" ] || refuse stuck
  answer cancelled
}
