# shellcheck shell=sh
# ready.sh: the checks of the preflight. The script that uses them defines fail.
#
# uses: check_checkout checkout has
# inputs: goal kind managed switch_command to

# Half a GiB: the store cannot hold the difference between two systems in less.
min_free_kib=524288

check_tools() {
  has git || fail no-git
  if [ -z "$switch_command" ]; then has nix || fail no-nix; fi
}

check_repo() {
  find_checkout
  if [ "$managed" != yes ] && [ "$goal" != rollback ] && [ "$to" = 0 ]; then check_checkout; fi
}

check_busy() {
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
