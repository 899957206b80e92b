# shellcheck shell=sh
# verify.sh: checks whether the goal is reached. It looks at the host itself, not at exit codes. The
# operator checks whether a new login works.
#
# uses: clock current degraded fact failed_units generation limit put real_path revision step
# inputs: goal health... kind rev switch_command verify_seconds

# verify ARGUMENT... takes the arguments of the script because health may be among them several
# times.
verify() {
  start_step verify
  verify_system
  # Units and health commands cannot judge what only the next boot starts.
  if [ "$goal" != boot ] && [ "$deferred" = no ]; then
    verify_units
    verify_health "$@"
  fi
  finish_step
}

# report_revision reports the commit that runs in the end.
report_revision() {
  own_revision "$sysroot/run/current-system"
  if [ -z "$revision" ]; then
    remember_revision
    find_revision "$(current_link)"
  fi
  fact after "$revision"
}

# remember_revision keeps what a home cannot report, nor a system whose flake sets no
# configurationRevision: a line for each store path.
remember_revision() {
  if [ -z "$rev" ] || [ "$goal" = rollback ]; then return; fi
  others=''
  if [ -r "$state/revisions" ]; then
    others=$(grep -vF -e "$built " -e "$selected " "$state/revisions" | tail -n 98)
  fi
  set -- "$built $rev"
  if [ "$selected" != "$built" ]; then set -- "$@" "$selected $rev"; fi
  put "$state/revisions" ${others:+"$others"} "$@"
}

verify_system() {
  # A home becomes the current one when it is confirmed.
  if [ "$goal" != boot ] && [ "$deferred" = no ] && [ "$kind" != home ] && [ "$(current)" != "$selected" ]; then
    degraded not-running
  fi
  if [ -n "$switch_command" ]; then return; fi
  if [ "$activated" = no ]; then fact generation "$(generation "$profile")"; fi
}

# verify_units ignores units that had failed before the switch.
verify_units() {
  if [ "$activated" = no ] || [ "$kind" = home ]; then return; fi
  newly_failed=''
  for unit in $(failed_units); do
    case $failed_before in
      *" $unit "*) ;;
      *) newly_failed="$newly_failed $unit" ;;
    esac
  done
  [ -z "$newly_failed" ] || degraded units "units=${newly_failed# }"
}

# verify_health runs the health commands. After a switch they have half a minute to succeed.
verify_health() {
  read_clock
  verify_start=$now
  grace_seconds=0
  if [ "$activated" = yes ]; then grace_seconds=30; fi
  for argument in "$@"; do
    case $argument in
      health=*) verify_command "${argument#health=}" ;;
    esac
  done
}

# verify_command COMMAND retries until the command succeeds, with longer and longer pauses.
verify_command() {
  health_naps=0
  while :; do
    read_clock
    verify_left=$((verify_start + verify_seconds - now))
    [ $verify_left -ge 1 ] || verify_left=1
    health_status=0
    limit $verify_left sh -c "$1" 2>&1 </dev/null || health_status=$?
    [ $health_status != 0 ] || return 0
    read_clock
    if [ $((now - verify_start)) -ge "$grace_seconds" ]; then break; fi
    health_naps=$((health_naps + 1))
    sleep $health_naps
  done
  degraded health "exit=$health_status" "check=$1"
}
