# shellcheck shell=sh
# home_profile.sh: finds the profile of a home.

# home_profile prints the path of home-manager's profile.
home_profile() {
  for profiles in "${XDG_STATE_HOME:-$HOME/.local/state}/nix/profiles" "$sysroot/nix/var/nix/profiles/per-user/$user"; do
    if [ -d "$profiles" ]; then
      echo "$profiles/home-manager"
      return
    fi
  done
  echo "${XDG_STATE_HOME:-$HOME/.local/state}/nix/profiles/home-manager"
}
