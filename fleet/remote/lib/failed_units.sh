# shellcheck shell=sh
# failed_units.sh: lists failed units.
#
# uses: has

# failed_units prints the names of the failed units, each followed by a space. A half of a job that
# was killed is one until systemd has started or removed it.
failed_units() {
  if [ -d "$sysroot/run/systemd/system" ] && has systemctl; then
    systemctl list-units --failed --plain --no-legend 2>/dev/null |
      while read -r unit _; do
        case $unit in
          fleetctl-job-* | fleetctl-[0-9]*) ;;
          *) printf '%s ' "$unit" ;;
        esac
      done
  fi
}
