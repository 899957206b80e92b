# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154
# activate.sh: the user half of activation. A machine's system is activated by the root half (root.sh), a home right here. Either
# way the new configuration runs first, and becomes what the next boot or login starts only when somebody has confirmed it.

# choose_profile sets $profile: where the generations are.
choose_profile() {
  case $kind in
    home) profile=$(home_profiles)/home-manager ;;
    *) profile=$R/nix/var/nix/profiles/system ;;
  esac
}

# choose_generation sets $built to what a rollback goes back to.
choose_generation() {
  now=$(generation "$profile")
  if [ "$to" = 0 ]; then
    to=$(for link in "$profile"-*-link; do echo "$link"; done | sed -n 's/.*-\([0-9][0-9]*\)-link$/\1/p' | sort -n |
      awk -v now="${now:-0}" '$1 < now { last = $1 } END { print last }')
    [ -n "$to" ] || fail no-generation "there is no generation before ${now:-this one}"
  fi
  built=$(there "$profile-$to-link")
  [ -n "$built" ] || fail no-generation "there is no generation $to"
  fact built "$built"
}

# generation PROFILE: the number it is at, from its link's name.
generation() {
  link=$(readlink "$1" 2>/dev/null) || return 0
  case $link in
    *-[0-9]*-link) link=${link%-link} && echo "${link##*-}" ;;
  esac
}

# tell_previous tells which generation undoes what is about to be done: that of what runs, or, where only the next boot is changed, the
# default. It need not be the one with the next lower number.
tell_previous() {
  previous=$(generation "$profile")
  if [ "$goal" != boot ] && [ "$(there "$profile")" != "$from" ]; then
    for link in "$profile"-*-link; do
      if [ "$(there "$link")" = "$from" ]; then previous=${link%-link} && previous=${previous##*-}; fi
    done
  fi
  fact previous "$previous"
}

# active: whether everything that the goal changes already is as built.
active() {
  case $kind in
    home) [ "$(there "$profile")" = "$built" ] ;;
    *)
      [ "$goal" = test ] || [ "$(there "$profile")" = "$built" ] || return 1
      [ "$goal" = boot ] || [ "$(there "$R/run/current-system")" = "$built" ]
      ;;
  esac
}

activate() {
  if active; then
    activated=no
    return
  fi
  ready
  pass_gate
  tell_previous
  put target "$built"
  begin activate
  activated=yes
  if [ "$kind" = home ]; then activate_home; else activate_system; fi
  judge_activation
}

# look_meanwhile looks around once the build has taken a second: then there is time, and what is built already is not held up.
look_meanwhile() {
  know_ways
  (
    sleep 1
    if [ ! -e "$dir/built" ]; then look_around early; fi
  ) &
  looking=$!
}

# know_ways sets by which ways the host is reached, and reaches its configuration.
know_ways() {
  ssh_port=${SSH_CONNECTION:-}
  ssh_port=${ssh_port##* }
  : "${ssh_port:=22}"
  pull_from='' as_user=''
  if [ -n "$rev" ]; then
    pull_from=$(git_ config "branch.$branch.remote") || pull_from=origin
  fi
}

# ready waits for the operator's go, and looks around meanwhile, where that was not done a short while ago.
ready() {
  if [ ! -e "$dir/answered.early" ] && [ -z "$(find "$dir/answered" -mmin -5 2>/dev/null)" ]; then
    know_ways
    look_around late &
    looking=$!
  fi
  if [ "$attended" = yes ]; then
    fact awaiting go
    await 86400 go
    if [ -z "$word" ]; then finish cancelled nobody "built, and nobody said to go on for a day"; fi
  fi
  wait "$looking" || :
}

# pass_gate: from here on the job cannot be cancelled. Whoever makes the link first decides.
pass_gate() {
  ln -s activate "$dir/gate" 2>/dev/null || finish cancelled cancelled "cancelled before activation"
}

# activate_system hands the built path to the root half, and waits for its answer.
activate_system() {
  printf '%s\n' "$built" "$to" "$repo" "$pull_from" "$ssh_port" >"$dir/activate.new"
  mv -f "$dir/activate.new" "$dir/activate"
  root_says activated
  activation_status=$said
}

# root_says NAME: waits for the file of that name, and sets $said to what is in it.
root_says() {
  waits=0
  until [ -e "$dir/$1" ]; do
    waits=$((waits + 1))
    if [ $((waits % 50)) = 0 ] && ! root_lives && [ ! -e "$dir/$1" ]; then
      if [ "$1" = activated ]; then fail root-gone "the process that was to activate as root is gone"; fi
      said='gone'
      return
    fi
    if [ "$waits" -lt 100 ]; then sleep 0.1; else sleep 0.5; fi
  done
  read -r said <"$dir/$1"
}


# judge_activation: what became of the host, from the status and from what runs now.
judge_activation() {
  activation_status=${activation_status%% *}
  fact activation-status "$activation_status"
  case $activation_status in
    0) ;;
    4)
      [ "$kind" = nixos ] || judge_failure
      named=$(sed -n "/$nonce step activate start/,\$s/.*the following units failed: *//p" "$dir/log" | tr '\n' ' ')
      named=${named:-$(failed_units)}
      degraded units "switched, but units failed: ${named% }"
      ;;
    100)
      [ "$kind" = nixos ] || judge_failure
      reboot="the new configuration takes full effect at the next boot"
      ;;
    *) judge_failure ;;
  esac
  done_with activate
}

# judge_failure: a failed activation is undone at once. Where it had changed nothing, there is nothing to undo.
judge_failure() {
  if [ "$kind" = home ]; then
    go_back_home
    said="back activation"
    if [ -z "$home_before" ]; then said=untouched; fi
  else
    root_says concluded
  fi
  case $said in
    back*)
      mark step activate failed
      finish rolled-back activation "the activation exited with $activation_status; the configuration from before runs again"
      ;;
  esac
  fail activation "the activation exited with $activation_status"
}

# degraded CODE TEXT: the first thing that is wrong with a host that was switched.
degraded() {
  if [ -z "$wrong" ]; then wrong="$1 $2"; else warn "$2"; fi
}

# run_switch_command stands in for build and activate: the user's own words, in the checkout.
run_switch_command() {
  pass_gate
  tell_previous
  begin activate
  cd "$repo" || fail no-repo "cannot enter \"$repo\""
  activation_status=0
  sh -c "$switch_command" 2>&1 </dev/null || activation_status=$?
  fact activation-status "$activation_status"
  built=$(current)
  if [ "$activation_status" != 0 ]; then
    [ "$built" != "$from" ] || fail switch-command "switch_command exited with $activation_status"
    degraded switch-command "switched, but switch_command exited with $activation_status"
  fi
  activated=yes
  if [ "$built" = "$from" ]; then
    activated=no
    fact activated no
  fi
  done_with activate
}
