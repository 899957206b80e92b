# shellcheck shell=sh
# ready.sh: the checks of the preflight. The script that uses them defines fail.
#
# uses: check_checkout checkout filters has
# inputs: elsewhere goal kind managed switch_command to

check_tools() {
  # A host that is built elsewhere has no checkout.
  if [ "$elsewhere" = no ]; then has git || fail no-git; fi
  if [ -z "$switch_command" ]; then has nix || fail no-nix; fi
}

check_repo() {
  checkout=''
  if [ "$elsewhere" = yes ]; then return; fi
  find_checkout
  find_filters
  if [ "$managed" != yes ] && [ "$goal" != rollback ] && [ "$to" = 0 ]; then check_checkout; fi
}

check_busy() {
  # The file of a unit that systemd-run made exists for as long as the unit does.
  rebuild_unit=nixos-rebuild-switch-to-configuration.service
  if [ "$kind" != home ] && [ -e "$sysroot/run/systemd/transient/$rebuild_unit" ] && systemctl is-active --quiet "$rebuild_unit"; then
    fail busy "unit=$rebuild_unit"
  fi
}
