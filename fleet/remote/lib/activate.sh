# shellcheck shell=sh
# activate.sh: the user half of an activation. The root half activates systems, the user half homes.
# Either way the new configuration runs first, and becomes what the next boot or login starts only
# when it is confirmed.
#
# uses: await await_root current degraded fact fail failed_units gate generation generations home
# uses: mark previous profile put real_path step survey
# inputs: attended goal kind to

# choose_generation sets $to and $built to what a rollback activates.
choose_generation() {
  if [ "$to" = 0 ]; then
    current_number=$(generation "$profile")
    to=$(generations | sort -n |
      awk -v current="${current_number:-0}" '$1 < current { last = $1 } END { print last }')
    [ -n "$to" ] || fail no-generation "current=$current_number"
  fi
  built=$(real_path "$profile-$to-link")
  [ -n "$built" ] || fail no-generation "to=$to"
  fact built "$built"
}

# active reports whether everything that the goal changes already is as built.
active() {
  case $kind in
    home) [ "$(real_path "$profile")" = "$built" ] ;;
    *)
      [ "$goal" = test ] || [ "$(real_path "$profile")" = "$built" ] || return 1
      [ "$goal" = boot ] || [ "$(current)" = "$built" ]
      ;;
  esac
}

# activate sets $activated to whether there was something to do.
activate() {
  activated=no
  if active; then return; fi
  await_go
  pass_gate
  report_previous
  put "$dir/target" "$built"
  start_step activate
  activated=yes
  if [ "$kind" = home ]; then activate_home; else activate_system; fi
  judge_activation
}

# survey_meanwhile surveys during the build, once that has taken a second: if it takes less, there
# was nothing to build and the survey would delay the activation.
survey_meanwhile() {
  find_routes
  (
    sleep 1
    if [ ! -e "$dir/built" ]; then survey; fi
  ) &
  surveyor=$!
}

# await_go waits for the operator's go. Meanwhile it surveys, unless there is a recent survey.
await_go() {
  if [ ! -e "$dir/surveying" ] && [ -z "$(find "$dir/answered" -mmin -5 2>/dev/null)" ]; then
    find_routes
    survey &
    surveyor=$!
  fi
  if [ "$attended" = yes ]; then
    fact awaiting go
    await 86400 go
    # english:ignore the name of a result code
    if [ -z "$received" ]; then finish cancelled nobody; fi
  fi
  wait "$surveyor" || :
}

# activate_system has the root half activate. It sets $activation_status.
activate_system() {
  put "$dir/activate" "$built" "$to" "$checkout" "$pull_from" "$ssh_port"
  await_root activated
  activation_status=${root_answer%% *}
}

# judge_activation concludes from the exit status and from what runs now.
judge_activation() {
  fact activation-status "$activation_status"
  case $kind:$activation_status in
    *:0) ;;
    nixos:4)
      units=$(sed -n "/$nonce step activate start/,\$s/.*the following units failed: *//p" "$dir/log")
      degraded units "units=${units:-$(failed_units)}"
      ;;
    nixos:100) reboot=activation ;;
    *) judge_failure ;;
  esac
  finish_step
}

# judge_failure ends the job. A failed activation is undone at once, unless it had changed nothing.
judge_failure() {
  if [ "$kind" = home ]; then
    roll_back_home
    verdict='back activation'
    if [ -z "$home_before" ]; then verdict=untouched; fi
  else
    await_root concluded
    verdict=$root_answer
  fi
  case $verdict in
    back*)
      mark step activate failed
      finish rolled-back activation "exit=$activation_status"
      ;;
  esac
  fail activation "exit=$activation_status"
}
