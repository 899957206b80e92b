# shellcheck shell=sh
# root_state.sh: finds the directory in which root halves live.
#
# inputs: kind

# find_root_state sets $root_state. Only root can create files there, and a restart of the host
# empties it.
find_root_state() {
  root_state=$sysroot/run/fleetctl
  if [ "$kind" = darwin ]; then root_state=$sysroot/var/run/fleetctl; fi
}
