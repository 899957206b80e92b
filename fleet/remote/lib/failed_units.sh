# shellcheck shell=sh
# failed_units.sh: lists failed units.
#
# uses: has

# failed_units prints the names of the failed units, each followed by a space.
failed_units() {
  if [ -d "$sysroot/run/systemd/system" ] && has systemctl; then
    systemctl list-units --failed --plain --no-legend 2>/dev/null |
      while read -r unit _; do printf '%s ' "$unit"; done
  fi
}
