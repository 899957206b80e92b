# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154
# root.sh: the root half of a job. `start` detaches it, and says "started" or "busy"; `run` waits until the job's user half has
# built, activates, and sees the activation confirmed or undone, whatever becomes of everybody else; it ends when the job does. Its
# arguments after that are the job's directory, the root of the host, and the job's NAME=VALUE arguments.
#
# First the new system is made to run, then, when it is confirmed, to be what the next boot starts: so a crash in between boots the old one.

main() {
  verb=$1 dir=$2 R=$3
  shift 3
  take "$@"
  know_boot
  state=$R/var/run/fleetctl # one a machine: no two users' jobs activate at once
  jobs=$state/jobs
  case $verb in
    start) start "$@" ;;
    run) run ;;
  esac
}

start() {
  mkdir -p "$jobs/$id"
  put_pid
  tries=0
  # The root half of a job that has just ended takes a moment to see that.
  until lock "$id"; do
    tries=$((tries + 1))
    if [ $tries = 25 ]; then
      rm -rf "${jobs:?}/$id"
      echo "busy $holder"
      return
    fi
    sleep 0.1
  done
  if [ -d "$R/run/systemd/system" ] && has systemd-run; then
    # Whoever kills it does not keep it from bringing its work to an end.
    systemd-run --unit="fleetctl-$id" --collect --quiet --service-type=exec --property=Restart=on-failure \
      --description="fleetctl job $id of $who" -- /bin/sh "$dir/root.sh" run "$dir" "$R" "$@" || {
      leave
      return
    }
  else
    # shellcheck disable=SC2046
    nohup $(detach) /bin/sh "$dir/root.sh" run "$dir" "$R" "$@" >/dev/null 2>&1 </dev/null &
  fi
  tries=0
  until [ -e "$dir/root.pid" ] || [ $tries = 100 ]; do
    tries=$((tries + 1))
    sleep 0.02
  done
  echo started
}

# leave gives the machine back.
leave() {
  unlock "$id"
  rm -rf "${jobs:?}/$id"
}

# put_pid replaces the file as a whole: whoever found it empty would take this job for dead.
put_pid() {
  echo "$$ $this_boot" >"$jobs/$id/pid.new"
  mv -f "$jobs/$id/pid.new" "$jobs/$id/pid"
}

run() {
  exec >>"$dir/log" 2>&1 </dev/null
  cd /
  if [ -n "$R" ]; then HOME=$R/root; else HOME=$(cd ~root && pwd); fi
  export HOME
  put_pid
  trap leave EXIT
  say root.pid "$$"
  if [ -e "$dir/concluded" ]; then exit 0; fi
  naps=0
  until [ -e "$dir/activate" ]; do
    if [ -e "$dir/result" ] || ! job_lives; then exit 0; fi
    naps=$((naps + 1))
    if [ $naps -lt 100 ]; then sleep 0.1; else sleep 1; fi
  done
  {
    read -r built
    read -r to
    read -r repo
    read -r pull_from
    read -r ssh_port
  } <"$dir/activate"
  as_user="sudo -n -u $login_user -H --"
  if [ "$login_user" = root ] || ! has sudo; then as_user=''; fi
  profile=$R/nix/var/nix/profiles/system
  if resumed; then
    echo "fleetctl: the process that activated was killed; another one goes on where it was"
  else
    before=$(there "$R/run/current-system")
    printf '%s\n' "$before" >"$jobs/$id/before.new"
    mv -f "$jobs/$id/before.new" "$jobs/$id/before"
    status=0
    "activate_$kind" || status=$?
    clock
    say activated "$status $now"
  fi
  "conclude_$kind"
}

# resumed: whether another process had begun, which was killed. What it was about to activate is then undone, and what it had activated is
# waited for as if nothing had been.
resumed() {
  read -r before 2>/dev/null <"$jobs/$id/before" || return 1
  if read -r status _ 2>/dev/null <"$dir/activated"; then return; fi
  status=killed
  clock
  say activated "137 $now" # what a shell says of a process that was killed
}

job_lives() {
  read -r job_pid _ <"$dir/pid" || return 1
  kill -0 "$job_pid" 2>/dev/null
}

# say NAME WORD: to the user half, which must be able to read it.
say() {
  umask 022
  printf '%s\n' "$2" >"$dir/$1.new"
  umask 077
  mv -f "$dir/$1.new" "$dir/$1"
}

# set_profile makes the built system the default. What was it before is in $previous, for reset_profile.
set_profile() {
  previous=$(readlink "$profile" 2>/dev/null | sed -n 's/.*-\([0-9][0-9]*\)-link$/\1/p')
  case $to in
    0) nix-env -p "$profile" --set "$built" ;;
    *) nix-env -p "$profile" --switch-generation "$to" ;;
  esac
}

reset_profile() {
  if [ -n "$previous" ]; then nix-env -p "$profile" --switch-generation "$previous"; fi
}

# set_default makes the built system what the next boot starts. A system without a boot entry is not: the profile would say otherwise, and
# the next deploy would find nothing left to do.
set_default() {
  set_profile || return 1
  boot_status=0
  NIXOS_INSTALL_BOOTLOADER='' "$built/bin/switch-to-configuration" boot || boot_status=$?
  case $boot_status in
    0 | 4 | 100) ;;
    *) reset_profile ;;
  esac
  return "$boot_status"
}

# changed: whether what runs is not what ran.
changed() { [ "$(there "$R/run/current-system")" != "$before" ]; }

activate_nixos() {
  if [ "$goal" = boot ]; then
    set_default
    return
  fi
  units_up
  "$built/bin/switch-to-configuration" test
}

conclude_nixos() {
  if [ "$goal" = boot ]; then
    say concluded "kept none"
    return
  fi
  case $status in
    0 | 4 | 100) decide ;;
    killed) verdict='back activation' ;;
    *) if changed; then verdict='back activation'; else verdict=untouched; fi ;;
  esac
  case $verdict in
    untouched) say concluded untouched ;;
    back*)
      go_back_nixos
      say concluded "$verdict"
      ;;
    *)
      if [ "$goal" != test ]; then keep_nixos; fi
      say concluded "kept $verdict"
      ;;
  esac
}

# keep_nixos makes the system that runs the next boot's too. What the boot entry's status says beyond failure was said by the activation.
keep_nixos() {
  default_status=0
  set_default || default_status=$?
  case $default_status in
    0 | 4 | 100) ;;
    *) echo "fleetctl: the boot entry of the new system could not be made: status $default_status" ;;
  esac
}

go_back_nixos() {
  echo "fleetctl: going back to ${before:-what ran before}"
  if [ -n "$before" ]; then
    "$before/bin/switch-to-configuration" test || echo "fleetctl: its activation exited with $?"
    return
  fi
  # This host has never been switched before: what was up comes up again.
  rm -f "$R/run/current-system"
  if has systemctl && [ -s "$dir/units" ]; then
    while read -r unit; do systemctl is-active --quiet "$unit" || echo "$unit"; done <"$dir/units" |
      while read -r unit; do systemctl start "$unit"; done
  fi
}

# units_up notes what is up, for a host that has no system to go back to.
units_up() {
  if [ -z "$before" ] && has systemctl; then
    systemctl list-units --state=active --type=service,socket --plain --no-legend | while read -r unit _; do echo "$unit"; done >"$dir/units"
  fi
}

# A Mac's activation has no test: its profile is set first, and set back where it is not confirmed.
activate_darwin() {
  set_profile || return 1
  "$built/activate"
}

conclude_darwin() {
  case $status in
    0) decide ;;
    *) if changed; then verdict='back activation'; else verdict=untouched; fi ;;
  esac
  case $verdict in
    untouched | back*)
      reset_profile
      if [ "$verdict" != untouched ] && [ -n "$before" ]; then "$before/activate" || echo "fleetctl: its activation exited with $?"; fi
      say concluded "$verdict"
      ;;
    *) say concluded "kept $verdict" ;;
  esac
}
