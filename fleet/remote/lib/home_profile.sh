# shellcheck shell=sh
# home_profile.sh: finds the profile of a home.

# home_profile prints the path of the profile that home-manager uses. That is the one that exists:
# Nix before 2.14 and older versions of home-manager had other places for it, and an activation
# moves it to the first place. Before the first generation it is where an activation would put it.
# See migrateProfile and setupVars in home-manager, modules/lib-bash/activation-init.sh.
home_profile() {
  home_state=${XDG_STATE_HOME:-$HOME/.local/state}
  user_profiles=$home_state/nix/profiles
  global_profiles=${NIX_STATE_DIR:-$sysroot/nix/var/nix}/profiles/per-user/$user
  for profiles in "$user_profiles" "$global_profiles" "$home_state/home-manager/profiles"; do
    if [ -e "$profiles/home-manager" ]; then
      echo "$profiles/home-manager"
      return
    fi
  done
  if [ ! -d "$user_profiles" ] && [ -d "$global_profiles" ]; then user_profiles=$global_profiles; fi
  echo "$user_profiles/home-manager"
}
