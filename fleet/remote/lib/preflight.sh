# shellcheck shell=sh
# preflight.sh: checks whether a deploy can start. It changes nothing.
#
# uses: check_checkout checkout filters has
# inputs: goal kind managed switch_command to

# Half a GiB: the store cannot hold the difference between two systems in less.
min_free_kib=524288

preflight() {
  has git || fail no-git
  if [ -z "$switch_command" ]; then has nix || fail no-nix; fi
  find_checkout
  find_filters
  if [ "$managed" != yes ] && [ "$goal" != rollback ] && [ "$to" = 0 ]; then check_checkout; fi
  check_disk
  # The file of a unit that systemd-run made exists for as long as the unit does.
  rebuild_unit=nixos-rebuild-switch-to-configuration.service
  if [ "$kind" != home ] && [ -e "$sysroot/run/systemd/transient/$rebuild_unit" ] && systemctl is-active --quiet "$rebuild_unit"; then
    fail busy "unit=$rebuild_unit"
  fi
}

check_disk() {
  read_free_kib <<DISK
$(df -Pk "$sysroot/nix/store" 2>/dev/null)
DISK
  case $free_kib in
    '' | *[!0-9]*) return ;; # df does not know this store: Nix will notice if it is full
  esac
  [ "$free_kib" -ge "$min_free_kib" ] || fail disk "free_mib=$((free_kib / 1024))"
}

# read_free_kib reads the output of df.
read_free_kib() {
  read -r _ && read -r _ _ _ free_kib _ || free_kib=''
}
