# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154
# activate.sh: the user half of activation. A machine's system is activated by the root half (root.sh), a home right here.

# pass_gate: from here on the job cannot be cancelled. Whoever makes the link first decides.
pass_gate() {
  ln -s activate "$dir/gate" 2>/dev/null || finish cancelled cancelled "cancelled before activation"
}

# generation PROFILE: the number it is at, from its link's name.
generation() { readlink "$1" 2>/dev/null | sed -n 's/.*-\([0-9][0-9]*\)-link$/\1/p'; }

# active GOAL: whether everything that the goal changes already is as built.
active() {
  case $kind in
    home) [ "$(there "$profile")" = "$built" ] ;;
    *)
      [ "$1" = test ] || [ "$(there "$profile")" = "$built" ] || return 1
      [ "$1" = boot ] || [ "$(there "$R/run/current-system")" = "$built" ]
      ;;
  esac
}

activate() {
  case $kind in
    home) profile=$(home_profiles)/home-manager ;;
    *) profile=$R/nix/var/nix/profiles/system ;;
  esac
  if active "$goal"; then
    activated=no
    return
  fi
  pass_gate
  begin activate
  activated=yes
  activation_from=$(wc -c <"$dir/log")
  if [ "$kind" = home ]; then activate_home; else activate_system; fi
  judge_activation
}

# activate_system hands the built path to the root half, and waits for its answer.
activate_system() {
  put activate "$built"
  waits=0
  until [ -e "$dir/activated" ]; do
    waits=$((waits + 1))
    if [ $((waits % 50)) = 0 ] && ! root_alive; then
      [ -e "$dir/activated" ] || fail root-gone "the process that was to activate as root is gone"
    fi
    if [ $waits -lt 100 ]; then sleep 0.1; else sleep 0.5; fi
  done
  read -r activation_status <"$dir/activated"
}

root_alive() {
  root_pid=''
  read -r root_pid <"$dir/root.pid" 2>/dev/null || return 1
  running "$root_pid" "$this_boot" "$id"
}

# activate_home does what home-manager's own switch does: older generations set their profile themselves.
activate_home() {
  activation_status=0
  previous=$(generation "$profile")
  if [ -e "$built/gen-version" ]; then
    mkdir -p "${profile%/*}"
    nix-env --profile "$profile" --set "$built" 2>&1 || fail activation "nix-env cannot set the profile \"$profile\""
    "$built/activate" --driver-version 1 2>&1 </dev/null || activation_status=$?
    if [ $activation_status != 0 ] && [ -n "$previous" ]; then
      nix-env --profile "$profile" --switch-generation "$previous" 2>&1 || warn "the profile could not be set back to generation $previous"
    fi
  else
    "$built/activate" 2>&1 </dev/null || activation_status=$?
  fi
}

# judge_activation: what became of the host, from the status and from what runs now.
judge_activation() {
  fact activation-status "$activation_status"
  case $activation_status in
    0) ;;
    4)
      [ "$kind" = nixos ] || judge_failure
      named=$(tail -c "+$((activation_from + 1))" "$dir/log" | sed -n 's/.*the following units failed: *//p' | tr '\n' ' ')
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

judge_failure() {
  if [ "$kind" = home ]; then
    fail activation "the activation exited with $activation_status; files of the new home may be in place"
  elif [ "$goal" != boot ] && [ "$(there "$R/run/current-system")" = "$built" ]; then
    degraded activation "switched, but the activation exited with $activation_status"
  else
    fail activation "the activation exited with $activation_status"
  fi
}

# degraded CODE TEXT: the first thing that is wrong with a host that was switched.
degraded() {
  if [ -z "$wrong" ]; then wrong="$1 $2"; else warn "$2"; fi
}

# run_switch_command stands in for build and activate: the user's own words, in the checkout.
run_switch_command() {
  pass_gate
  begin activate
  cd "$repo" || fail no-repo "cannot enter \"$repo\""
  activation_status=0
  sh -c "$switch_command" 2>&1 </dev/null || activation_status=$?
  fact activation-status "$activation_status"
  built=$(current)
  if [ $activation_status != 0 ]; then
    [ "$built" != "$from" ] || fail switch-command "switch_command exited with $activation_status"
    degraded switch-command "switched, but switch_command exited with $activation_status"
  fi
  if [ "$built" = "$from" ]; then activated=no; else activated=yes; fi
  done_with activate
}
