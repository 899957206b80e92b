# shellcheck shell=sh
# settle.sh: writes the result of a job that died before it could.
#
# uses: claim home_profile home_rollback job_lives mark put real_path root_lives unlock

# settle gives a job whose process is gone (it was killed, or the host restarted) its result.
settle() {
  if [ -e "$dir/result" ] || job_lives "$id" || activating; then return; fi
  claim "$dir/settle" || return 0
  if [ -e "$dir/result" ]; then return; fi
  kill_orphans
  step=-
  if [ -r "$dir/steps" ]; then while read -r last_step; do step=$last_step; done <"$dir/steps"; fi
  judge_death
  # The log may end in the middle of a line.
  { echo && mark end "$ending"; } >>"$dir/log"
  put "$dir/result" "$ending"
  unlock "$id"
}

# judge_death sets $ending according to what the host runs now.
judge_death() {
  if [ "$(readlink "$dir/gate" 2>/dev/null)" = cancel ]; then
    ending="cancelled cancelled $step"
    return
  fi
  if [ "$(readlink "$dir/gate" 2>/dev/null)" != activate ]; then
    ending="failed died $step activated=no"
    return
  fi
  read -r conclusion 2>/dev/null <"$dir/concluded" || conclusion=''
  case $conclusion in
    back*)
      ending="rolled-back ${conclusion#back } $step died=yes"
      return
      ;;
  esac
  read -r target 2>/dev/null <"$dir/target" || target=''
  if [ "$kind" = home ]; then
    running=$(real_path "$(home_profile)")
    if [ "$running" != "$target" ] && read -r home_before 2>/dev/null <"$dir/home-before" && [ -n "$home_before" ]; then
      roll_back_home >>"$dir/log"
      ending="rolled-back died $step"
      return
    fi
  else
    running=$(real_path "$sysroot/run/current-system")
  fi
  if [ -n "$target" ] && [ "$running" = "$target" ]; then
    ending="degraded died $step"
  elif [ "${conclusion%% *}" = kept ] && [ "$(real_path "$sysroot/nix/var/nix/profiles/system")" = "$target" ]; then
    ending="reboot-needed died $step"
  else
    ending="failed died $step activated=yes"
  fi
}

# activating reports whether the root half outlived its job and is still activating.
activating() {
  [ -e "$dir/activate" ] && [ ! -e "$dir/concluded" ] && [ "$job_boot" = "$boot_id" ] || return 1
  root_lives
}

# kill_orphans ends what the job had started. As long as one of its children lives, no other process
# gets the ID of its process group.
kill_orphans() {
  [ "$job_boot" = "$boot_id" ] && [ -n "$job_pid" ] || return 0
  for signal in TERM KILL; do
    orphan_naps=0
    while ! kill -0 "$job_pid" 2>/dev/null && kill -$signal "-$job_pid" 2>/dev/null && [ $orphan_naps -lt 20 ]; do
      orphan_naps=$((orphan_naps + 1))
      sleep 0.1
    done
  done
}
