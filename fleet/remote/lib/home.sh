# shellcheck shell=sh
# home.sh: activates a home, which its user does without root. The files of the new generation are
# linked first, and its profile is set when it is confirmed.
#
# uses: clock home_rollback log_size put real_path
# inputs: goal to

# activate_home does what home-manager's own switch does, except setting the profile. It sets
# $activation_status.
activate_home() {
  home_before=$(real_path "$profile")
  find_log_size
  put "$dir/home-before" "$home_before" "$log_size"
  activation_status=0
  run_home "$built" || activation_status=$?
  read_clock
  put "$dir/activated" "$activation_status $now"
}

# keep_home sets the profile.
keep_home() {
  if [ ! -e "$built/gen-version" ]; then return; fi
  mkdir -p "${profile%/*}"
  case $goal in
    rollback) nix-env --profile "$profile" --switch-generation "$to" 2>&1 ;;
    *) nix-env --profile "$profile" --set "$built" 2>&1 ;;
  esac
}
