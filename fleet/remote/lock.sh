# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154
# lock.sh: one job a host at a time, and which jobs are alive.
#
# The lock is a symbolic link whose target is the holder's job: ln -s makes it with its content in one step, or fails. Only the
# holder removes it, or whoever won the right to do so from a holder that is dead.

# running PID BOOT WORD: whether that process lives, in this boot, and is one of ours (WORD is in its command line).
running() {
  [ "$2" = "$this_boot" ] || return 1
  running_args=''
  if [ -r /proc/self/cmdline ]; then
    # Its words end in bytes of 0, which the shell leaves out, and the last has no newline.
    read -r running_args 2>/dev/null <"/proc/$1/cmdline" || :
  elif has ps; then
    running_args=$(ps -p "$1" -o args= 2>/dev/null) || :
  else
    kill -0 "$1" 2>/dev/null
    return
  fi
  case $running_args in
    *"$3"* | *sh-s* | *"sh -s"*) return 0 ;;
  esac
  return 1
}

# alive JOB: whether the process of that job lives.
alive() {
  alive_pid='' alive_boot=''
  read -r alive_pid alive_boot <"$jobs/$1/pid" 2>/dev/null || return 1
  running "$alive_pid" "$alive_boot" "$1"
}

# root_lives: whether the root half of job $id does. One that is killed is started again, which takes a moment.
root_lives() {
  for root_pause in 1 0; do
    root_pid=''
    read -r root_pid 2>/dev/null <"$dir/root.pid" || return 1
    if running "$root_pid" "$this_boot" "$id"; then return; fi
    sleep "$root_pause"
  done
  return 1
}

# claim PATH: true for one process alone, ever, but for those after it that find it dead.
claim() {
  claim_n=1
  until ln -s "$$:$this_boot" "$1.$claim_n" 2>/dev/null; do
    claimant=$(readlink "$1.$claim_n") || return 1
    if running "${claimant%%:*}" "${claimant#*:}" "sh"; then return 1; fi
    claim_n=$((claim_n + 1))
  done
}

# lock JOB: takes the host for it. False, with the other job in $holder, where it is taken.
lock() {
  until ln -s "$1" "$state/lock" 2>/dev/null; do
    holder=$(readlink "$state/lock" 2>/dev/null) || continue
    if alive "$holder"; then return 1; fi
    mkdir -p "$jobs/$holder"
    claim "$jobs/$holder/takeover" || return 1
    if [ "$(readlink "$state/lock" 2>/dev/null)" = "$holder" ]; then rm -f "$state/lock"; fi
    stale=$holder
  done
}

# unlock JOB: gives the host back, if that job has it.
unlock() {
  if [ "$(readlink "$state/lock" 2>/dev/null)" = "$1" ]; then rm -f "$state/lock"; fi
}

# whose JOB: KEY=VALUE words about a job, for whom it is in the way.
whose() {
  whose_dir=$jobs/$1
  printf 'job=%s' "$1"
  for whose_key in who since steps; do
    if [ -r "$whose_dir/$whose_key" ]; then
      printf ' %s=%s' "${whose_key%s}" "$(tail -n 1 "$whose_dir/$whose_key" | tr -c 'A-Za-z0-9@.:+/_\n-' '?')"
    fi
  done
}
