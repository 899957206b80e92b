# shellcheck shell=sh
# shellcheck disable=SC2154
# home.sh: activating a home, which its own user does. The new one's files are linked first, and its profile is set when it is confirmed.

# home_profiles prints where home-manager keeps its profile.
home_profiles() {
  for profiles in "${XDG_STATE_HOME:-$HOME/.local/state}/nix/profiles" "$R/nix/var/nix/profiles/per-user/$user"; do
    if [ -d "$profiles" ]; then
      echo "$profiles"
      return
    fi
  done
  echo "${XDG_STATE_HOME:-$HOME/.local/state}/nix/profiles"
}

# activate_home does what home-manager's own switch does, but for the profile, which comes with the confirmation. Older generations, those
# without gen-version, set their profile themselves.
activate_home() {
  home_before=$(there "$profile")
  put home-before "$home_before"
  activation_status=0
  run_home "$built" || activation_status=$?
  clock
  put activated "$activation_status $now"
}

run_home() {
  if [ -e "$1/gen-version" ]; then
    "$1/activate" --driver-version 1 2>&1 </dev/null
  else
    "$1/activate" 2>&1 </dev/null
  fi
}

keep_home() {
  if [ ! -e "$built/gen-version" ]; then return; fi
  mkdir -p "${profile%/*}"
  case $goal in
    rollback) nix-env --profile "$profile" --switch-generation "$to" 2>&1 ;;
    *) nix-env --profile "$profile" --set "$built" 2>&1 ;;
  esac
}

# go_back_home activates $home_before, what was there before.
go_back_home() {
  if [ -z "$home_before" ]; then
    echo "fleetctl: there was no generation before this one: what it has linked stays"
    return
  fi
  run_home "$home_before" || echo "fleetctl: the activation of the generation before exited with $?"
}
