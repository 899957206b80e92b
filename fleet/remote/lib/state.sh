# shellcheck shell=sh
# state.sh: sets $state, the directory in which the login user's jobs and their lock live.

state=${XDG_STATE_HOME:-$HOME/.local/state}/fleetctl
