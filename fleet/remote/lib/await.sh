# shellcheck shell=sh
# await.sh: waits for signals of the operator. A signal is an empty file in the directory of the
# job, made by signal.sh.
#
# uses: clock

# await SECONDS SIGNAL... waits for one of the signals and sets $received to its name, or to nothing
# if none comes in time.
await() {
  read_clock
  await_until=$((now + $1))
  shift
  await_naps=0
  while :; do
    for received in "$@"; do
      if [ -e "$dir/$received" ]; then return; fi
    done
    await_naps=$((await_naps + 1))
    if [ "$await_naps" -le 100 ]; then sleep 0.1; else sleep 1; fi
    if [ $((await_naps % 10)) = 0 ]; then
      read_clock
      if [ "$now" -ge "$await_until" ]; then
        received=''
        return
      fi
    fi
  done
}
