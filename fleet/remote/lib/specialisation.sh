# shellcheck shell=sh
# specialisation.sh: finds the specialisation of a NixOS system to activate.
#
# uses: parent real_path
# inputs: goal kind specialisation

# find_selected sets $selected to what is to run: the built system, or its specialisation $chosen.
# $special is the requested one: that of the inventory or, as with nh, the one that runs now. The
# profile and the boot entry are those of the built system in any case, as with nixos-rebuild: see
# _activate_system in nixpkgs, pkgs/by-name/ni/nixos-rebuild-ng/src/nixos_rebuild/services.py.
find_selected() {
  selected=$built chosen='' special=''
  if [ "$kind" != nixos ] || [ "$goal" = boot ] || [ "$specialisation" = none ]; then return; fi
  if [ -n "$specialisation" ]; then special=$specialisation; else find_parent "$from"; fi
  if [ -n "$special" ] && [ -e "$built/specialisation/$special/bin/switch-to-configuration" ]; then
    # shellcheck disable=SC2034 # not every script needs the name
    chosen=$special
    selected=$(real_path "$built/specialisation/$special")
  fi
}
