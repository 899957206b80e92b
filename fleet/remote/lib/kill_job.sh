# shellcheck shell=sh
# kill_job.sh: ends a job and all its children, unless it is already activating.
#
# uses: job_lives settle

# kill_job ends job $id in $dir. If it cannot, it fails and sets $obstacle to the code of the
# reason.
kill_job() {
  obstacle=finished
  [ ! -e "$dir/result" ] || return 1
  obstacle=activating
  ln -s cancel "$dir/gate" 2>/dev/null || [ "$(readlink "$dir/gate")" = cancel ] || return 1
  if job_lives "$id"; then
    # The process group, without the "--" that dash and busybox do not understand here.
    kill -TERM "-$job_pid" 2>/dev/null || :
    kill_naps=0
    until [ -e "$dir/result" ] || [ $kill_naps = 100 ]; do
      kill_naps=$((kill_naps + 1))
      sleep 0.1
    done
    if [ ! -e "$dir/result" ]; then
      kill -KILL "-$job_pid" 2>/dev/null || :
      sleep 0.2
    fi
    kill_left_behind
  fi
  read -r nonce <"$dir/nonce"
  read -r kind <"$dir/kind"
  settle
  obstacle=stuck
  kill_naps=0
  until [ -e "$dir/result" ]; do # a session that follows the job may be settling it
    kill_naps=$((kill_naps + 1))
    [ $kill_naps -lt 50 ] || return 1
    sleep 0.1
  done
}

# kill_left_behind ends the children of a job that has ended: some ignore SIGTERM, and one that had
# just been forked may have lost it (see limit.sh). As long as one of them lives, no other process
# gets the ID of their group.
kill_left_behind() {
  kill_naps=0
  while kill -0 "$job_pid" 2>/dev/null; do
    if [ $kill_naps = 100 ]; then return; fi
    kill_naps=$((kill_naps + 1))
    sleep 0.1
  done
  kill -KILL "-$job_pid" 2>/dev/null || :
}
