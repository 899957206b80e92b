# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154
# follow.sh: prints a job's log from an offset to its end, and settles a job that died without a word.

follow() {
  read -r nonce <"$dir/nonce" || refuse unreadable
  echo "${SSH_CONNECTION:-}" >>"$dir/connections"
  settle
  answer following "$nonce" "$offset"
  if [ -e "$dir/result" ]; then
    tail -c "+$((offset + 1))" "$dir/log"
    return
  fi
  # Where tail cannot be told of changes (overlayfs) it looks once a second: GNU's can be asked to look oftener.
  often=''
  if tail -s 0.1 /dev/null >/dev/null 2>&1; then often='-s 0.1'; fi
  # shellcheck disable=SC2086
  tail $often -c "+$((offset + 1))" -f "$dir/log" 2>/dev/null &
  tail_pid=$!
  # Whoever reads sees the end marker and leaves; this is for a reader that is slow, and asks again from where it is.
  until [ -e "$dir/result" ]; do
    sleep 1
    kill -0 "$tail_pid" 2>/dev/null || return 0
    settle
  done
  sleep 2
  kill "$tail_pid" 2>/dev/null || :
}

# settle: a job whose process is gone (killed, or the host restarted) gets the result that it could not write itself.
settle() {
  if [ -e "$dir/result" ] || alive "$id" || activating; then return; fi
  claim "$dir/settle" || return 0
  if [ -e "$dir/result" ]; then return; fi
  end_orphans
  step=-
  if [ -r "$dir/steps" ]; then while read -r settle_step; do step=$settle_step; done <"$dir/steps"; fi
  settle_words
  # The log may end in the middle of a line.
  printf '\n%s end %s\n' "$nonce" "$words" >>"$dir/log"
  printf '%s\n' "$words" >"$dir/result.new"
  mv -f "$dir/result.new" "$dir/result"
  unlock "$id"
}

settle_words() {
  if [ "$(readlink "$dir/gate" 2>/dev/null)" != activate ]; then
    words="failed died $step the job was ended from outside during $step: killed, or the host restarted"
    return
  fi
  read -r settle_said 2>/dev/null <"$dir/concluded" || settle_said=''
  case $settle_said in
    back*)
      words="rolled-back ${settle_said#back } $step the configuration from before runs again; the job was ended from outside during $step"
      return
      ;;
  esac
  read -r settle_built 2>/dev/null <"$dir/target" || settle_built=''
  case $kind in
    home)
      settle_now=$(there "$(home_profiles)/home-manager")
      if [ "$settle_now" != "$settle_built" ] && read -r home_before 2>/dev/null <"$dir/home-before" && [ -n "$home_before" ]; then
        go_back_home >>"$dir/log"
        words="rolled-back died $step the job was ended from outside during $step; the configuration from before runs again"
        return
      fi
      ;;
    *) settle_now=$(there "$R/run/current-system") ;;
  esac
  if [ -n "$settle_built" ] && [ "$settle_now" = "$settle_built" ]; then
    words="degraded died $step the new configuration runs, but the job was ended from outside during $step, before it had seen all of it working"
  elif [ "${settle_said%% *}" = kept ] && [ "$(there "$R/nix/var/nix/profiles/system")" = "$settle_built" ]; then
    words="reboot-needed died $step the new configuration starts at the next boot; the job was ended from outside during $step"
  else
    words="failed died $step the job was ended from outside during $step; the new configuration does not run"
  fi
}

# activating: the root half outlives its job while it activates, and is never hurried.
activating() {
  [ -e "$dir/activate" ] && [ ! -e "$dir/concluded" ] && [ "$alive_boot" = "$this_boot" ] || return 1
  root_lives
}

# end_orphans ends what the job had started and did not live to see the end of. While one of them lives, nobody gets the number of the job's
# process.
end_orphans() {
  [ "$alive_boot" = "$this_boot" ] && [ -n "$alive_pid" ] || return 0
  for signal in TERM KILL; do
    orphan_naps=0
    while ! kill -0 "$alive_pid" 2>/dev/null && kill -$signal "-$alive_pid" 2>/dev/null && [ $orphan_naps -lt 20 ]; do
      orphan_naps=$((orphan_naps + 1))
      sleep 0.1
    done
  done
}
