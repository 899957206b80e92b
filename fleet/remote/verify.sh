# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154
# verify.sh: is the goal reached? Looks at the host itself, not at exit codes. A new login is the operator's to try.

verify() {
  begin verify
  verify_system
  # What only the next boot starts is not what units and services would be judged by.
  if [ "$goal" != boot ]; then
    verify_units
    verify_health "$@"
  fi
  done_with verify
}

# settle_revision tells the revision that runs in the end.
settle_revision() {
  know_own_revision "$R/run/current-system"
  if [ -z "$revision" ]; then
    remember_revision
    know_revision
  fi
  fact after "$revision"
}

# remember_revision keeps what a home, and a system whose flake sets no configurationRevision, cannot tell: one line a store path.
remember_revision() {
  if [ -z "$rev" ] || [ "$goal" = rollback ]; then return; fi
  {
    if [ -r "$state/revisions" ]; then grep -vF "$built " "$state/revisions" | tail -n 99; fi
    echo "$built $rev"
  } >"$state/revisions.new"
  mv -f "$state/revisions.new" "$state/revisions"
}

verify_system() {
  # A home becomes the current one when it is confirmed.
  if [ "$goal" != boot ] && [ "$kind" != home ] && [ "$(current)" != "$built" ]; then
    degraded not-running "activated, but what runs is not what was built"
  fi
  if [ -n "$switch_command" ]; then return; fi
  if [ "$activated" = no ]; then fact generation "$(generation "$profile")"; fi
}

# verify_units: units that failed before the switch are no news.
verify_units() {
  if [ "$activated" = no ] || [ "$kind" = home ]; then return; fi
  new=''
  for unit in $(failed_units); do
    case $units_before in
      *" $unit "*) ;;
      *) new="$new $unit" ;;
    esac
  done
  [ -z "$new" ] || degraded units "switched, but units failed:$new"
}

# verify_health runs the health=COMMAND arguments. What was just switched has half a minute to come up.
verify_health() {
  clock
  verify_began=$now
  settle_seconds=0
  if [ "$activated" = yes ]; then settle_seconds=30; fi
  for pair in "$@"; do
    case $pair in
      health=*) verify_command "${pair#health=}" ;;
    esac
  done
}

# verify_command COMMAND: again and again until it succeeds, each time a little later.
verify_command() {
  naps=0
  while :; do
    clock
    verify_left=$((verify_began + verify_seconds - now))
    [ $verify_left -ge 1 ] || verify_left=1
    health_status=0
    limit $verify_left sh -c "$1" 2>&1 </dev/null || health_status=$?
    [ $health_status != 0 ] || return 0
    clock
    if [ $((now - verify_began)) -ge "$settle_seconds" ]; then break; fi
    naps=$((naps + 1))
    sleep $naps
  done
  degraded health "the health check \"$1\" exited with $health_status"
}
