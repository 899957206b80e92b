# shellcheck shell=sh
# settle.sh: writes the result of a job that died before it could, or what was to follow it.
#
# uses: claim ending home_profile home_rollback job_lives mark put real_path relay rollback_ending
# uses: root_lives unlock

# settle gives a job whose process is gone (it was killed, or the host restarted) its result.
settle() {
  if [ -e "$dir/result" ]; then
    complete_log
    return
  fi
  if job_lives "$id" || activating; then return; fi
  claim "$dir/settle" || return 0
  if [ -e "$dir/result" ]; then return; fi
  kill_orphans
  step=-
  if [ -r "$dir/steps" ]; then while read -r last_step; do step=$last_step; done <"$dir/steps"; fi
  find_root_dir
  if [ -e "$dir/activate" ]; then relay_rest >>"$dir/log"; fi
  judge_death
  # The log may end in the middle of a line.
  { echo && mark end "$ending"; } >>"$dir/log"
  put "$dir/result" "$ending"
  unlock "$id"
}

# complete_log waits until the log has the end marker, which follows the result, and writes it for a
# job that was killed in between.
complete_log() {
  ending_naps=0
  until grep -q "^$nonce end " "$dir/log"; do
    if ! job_lives "$id" && claim "$dir/complete"; then
      { echo && mark end "$(cat "$dir/result")"; } >>"$dir/log"
      break
    fi
    ending_naps=$((ending_naps + 1))
    if [ $ending_naps = 50 ]; then return; fi
    sleep 0.1
  done
  job_lives "$id" || unlock "$id"
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
  read -r verdict 2>/dev/null <"$root_dir/concluded" || verdict=''
  target=''
  { read -r target && { read -r selected || selected=$target; }; } 2>/dev/null <"$dir/target" || selected=''
  if [ "$kind" = home ]; then
    profile=$(home_profile)
    running=$(real_path "$profile")
    if [ "$running" != "$target" ] && settle_home; then return; fi
  else
    running=$(real_path "$sysroot/run/current-system")
  fi
  case $verdict in
    back* | incomplete*)
      compose_rollback "$running" died=yes
      return
      ;;
  esac
  if [ -n "$target" ] && [ "$running" = "$selected" ]; then
    ending="degraded died $step"
  elif [ "${verdict%% *}" = kept ] && [ "$(real_path "$sysroot/nix/var/nix/profiles/system")" = "$target" ]; then
    ending="reboot-needed died $step"
  elif [ -e "$root_dir/started" ] && [ "$verdict" != untouched ] && [ "$job_boot" = "$boot_id" ]; then
    compose_ending degraded died during=activate "runs=$running"
  else
    ending="failed died $step activated=yes"
  fi
}

# settle_home sets $ending if the home was being activated, or waited for its confirmation.
settle_home() {
  backup_extension=''
  { read -r home_before && read -r log_size && { read -r backup_extension || :; }; } 2>/dev/null <"$dir/home-before" || return 1
  if home_untouched "$target"; then
    ending="failed died $step activated=no"
    return
  fi
  verdict='back died'
  roll_back_home "$target" >>"$dir/log"
  compose_rollback "$(real_path "$profile")"
}

# activating reports whether the root half outlived its job and is still activating.
activating() {
  find_root_dir
  [ -e "$dir/activate" ] && [ ! -e "$root_dir/concluded" ] && [ "$job_boot" = "$boot_id" ] || return 1
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
