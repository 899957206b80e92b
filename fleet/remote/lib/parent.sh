# shellcheck shell=sh
# parent.sh: finds out whether a system is a specialisation.
#
# uses: real_path

# find_parent SYSTEM sets $parent to the system that SYSTEM is a specialisation of, and $special to
# the name that it has there. Both are empty if it is none. If no generation has it anymore, the
# name is the one in /etc/specialisation, which configurations for nh have: see SPEC_LOCATION in nh,
# crates/nh-nixos/src/nixos.rs.
find_parent() {
  parent='' special=''
  systems=$sysroot/nix/var/nix/profiles/system
  if [ -z "$1" ] || [ "$1" = "$(real_path "$systems")" ]; then return; fi
  for generation_link in "$systems" "$systems"-*-link; do
    for candidate in "$generation_link"/specialisation/*; do
      if [ -e "$candidate" ] && [ "$(real_path "$candidate")" = "$1" ]; then
        # shellcheck disable=SC2034 # not every script needs the parent
        parent=$(real_path "$generation_link") special=${candidate##*/}
        return
      fi
    done
    if [ "$(real_path "$generation_link")" = "$1" ]; then return; fi
  done
  if [ -r "$sysroot/etc/specialisation" ]; then read -r special <"$sysroot/etc/specialisation" || :; fi
  case $special in
    *[!A-Za-z0-9._-]* | [!A-Za-z0-9_]*) special='' ;;
  esac
}
