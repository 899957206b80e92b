# shellcheck shell=sh
# profile.sh: finds the profile that a deploy sets.
#
# uses: home_profile
# inputs: kind

# find_profile sets $profile to the link whose generations a host of this kind has.
find_profile() {
  case $kind in
    home) profile=$(home_profile) ;;
    *) profile=$sysroot/nix/var/nix/profiles/system ;;
  esac
}
