# shellcheck shell=sh
# activate.sh: the user half of an activation. The root half activates systems, the user half homes.
# Either way the new configuration runs first, and becomes what the next boot or login starts only
# when it is confirmed.
#
# uses: await await_root cause changes confirm current degraded fact fail failed_units gate
# uses: generation generations home hooks mark notice previous profile put real_path specialisation
# uses: step survey
# inputs: attended goal kind on_inhibited to

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
      [ "$goal" = boot ] || [ "$(current)" = "$selected" ]
      ;;
  esac
}

# choose_specialisation sets $selected to what is to run. If the new system lacks the
# specialisation that runs, the host is switched without it. One that the inventory names must exist
# in it, unless an older generation is activated.
choose_specialisation() {
  find_selected
  if [ -z "$special" ] || [ -n "$chosen" ]; then return; fi
  [ -z "$specialisation" ] || [ "$goal" = rollback ] || fail no-specialisation "name=$special"
  notice warn no-specialisation "name=$special"
}

# activate ARGUMENT... takes the arguments of the script. It sets $activated to whether there was
# something to do.
activate() {
  activated=no
  choose_specialisation
  if active; then return; fi
  compare_meanwhile
  await_go
  pass_gate
  report_previous
  before_switch "$@"
  put "$dir/target" "$built" "$selected"
  start_step activate
  activated=yes
  if [ "$kind" = home ]; then activate_home; else activate_system; fi
  judge_activation
  after_switch
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
    if [ -z "$received" ]; then finish cancelled abandoned; fi
  fi
  wait "$surveyor" || :
}

# activate_system has the root half activate. It sets $activation_status.
activate_system() {
  put "$dir/activate" "$built" "$to" "$checkout" "$pull_from" "$ssh_port" "$chosen" "$on_inhibited"
  await_root activated
  activation_status=${root_answer%% *}
  if [ "$activation_status" = rejected ]; then fail rejected "path=$built"; fi
}

# judge_activation concludes from the exit status and from what runs now.
judge_activation() {
  fact activation-status "$activation_status"
  case $kind:$activation_status in
    *:0) ;;
    nixos:4) judge_units ;;
    nixos:100) judge_init ;;
    *) judge_failure ;;
  esac
  finish_step
}

# activation_output prints what the activation has printed so far, without the way back.
activation_output() { sed -n "/$nonce step activate start/,/$nonce note code=rollback/p" "$dir/log"; }

# judge_units finds out what status 4 of switch-to-configuration means. It lists all failed units,
# also those that had failed before, and it exits with 4 and without a list if it could not start or
# stop a unit, or activate for a user. nixos-activation.service is the unit of a user's activation.
judge_units() {
  listed=$(activation_output | sed -n 's/.*the following units failed: *//p' | tr -s ', ' '  ')
  jobs=$(activation_output | sed -n 's/^Failed to \([a-z]* [^ :]*[.][a-z]*\).*/\1/p' |
    sed -n 's/^start //p; s/^stop //p; s/^restart //p; s/^reload //p')
  user_units=$(activation_output | sed -n 's/.*the following user units failed: *//p')
  users=$(activation_output | sed -n 's/^warning: user activation for \([^ ]*\) failed.*/\1/p')
  newly_failed=''
  for unit in $listed $jobs $(failed_units); do
    case "$failed_before nixos-activation.service$newly_failed " in
      *" $unit "*) ;;
      *) newly_failed="$newly_failed $unit" ;;
    esac
  done
  if [ -n "$newly_failed$user_units$users" ]; then
    degraded units "units=${newly_failed# }" "user_units=$user_units" "users=$users"
  elif [ -z "$listed$jobs" ]; then
    degraded partial "exit=$activation_status"
  fi
}

# judge_init tells the two meanings of status 100 apart. If the init of the new system is
# incompatible with what runs, switch-to-configuration exits before it activates anything.
judge_init() {
  reboot=activation
  if [ "$goal" = boot ] || [ "$(current)" = "$selected" ]; then return; fi
  if [ "$goal" = test ]; then
    await_root concluded
    fail inhibited what=init
  fi
  reboot=init deferred=yes
}

# judge_failure ends the job. A failed activation is undone at once, unless it had changed nothing.
# An inhibited one may have been left to the next boot: then the job continues.
judge_failure() {
  if [ "$kind" != home ]; then
    await_root concluded
    verdict=$root_answer
  elif home_untouched "$built"; then
    verdict=untouched
  else
    verdict='back activation'
    roll_back_home "$built"
  fi
  find_cause
  case $verdict in
    'back activation' | 'incomplete activation '*)
      verdict=${verdict%%activation*}$cause${verdict#*activation}
      finish_rollback "exit=$activation_status" "what=$what"
      ;;
    gone) finish degraded root-gone during=activate ;;
    kept*)
      reboot=inhibited deferred=yes
      return
      ;;
  esac
  fail "$cause" "exit=$activation_status" "what=$what"
}
