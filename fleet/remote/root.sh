# shellcheck shell=sh
# root.sh: the root half of a job. "root.sh start" detaches "root.sh run", which waits until the
# user half has built, activates, and waits until the activation is confirmed or undoes it, no
# matter what happens to everything else. It ends when the job does. The parameters after the verb
# are the directory of the job, the root of the host and NAME=VALUE arguments.
#
# First the new system runs. When it is confirmed, it becomes what the next boot starts: a crash in
# between boots the old one.
#
# "root.sh start" exits with status 0 if the root half runs, 75 if another job, whose ID it prints,
# is running on this machine, and another one if the root half could not be started.
#
# uses: boot_id clock decide detach failed_units find_sudo generation git_command has lock log_size
# uses: mark notice output put real_path unlock
# inputs: confirm confirm_seconds goal id kind login_user who

main() {
  verb=$1 dir=$2 sysroot=$3
  shift 3
  take "$@"
  PATH=$wrappers:$system_path
  read_boot_id
  state=$sysroot/var/run/fleetctl # one for the machine: jobs of two users never activate at once
  own_dir=$state/jobs/$id
  case $verb in
    start) start "$@" ;;
    run) run ;;
  esac
}

start() {
  umask 077
  mkdir -p "$own_dir"
  put "$own_dir/pid" "$$ $boot_id"
  tries=0
  # The root half of a job that has just ended takes a moment to notice.
  until lock "$id"; do
    tries=$((tries + 1))
    if [ $tries = 25 ]; then
      rm -rf "${own_dir:?}"
      echo "$holder"
      exit 75
    fi
    sleep 0.1
  done
  if [ -d "$sysroot/run/systemd/system" ] && has systemd-run; then
    # If it is killed, it is started again to finish its work.
    systemd-run --unit="fleetctl-$id" --collect --quiet --service-type=exec --property=Restart=on-failure \
      --description="fleetctl job $id of $who" -- /bin/sh "$dir/root.sh" run "$dir" "$sysroot" "$@" || {
      leave
      exit 69
    }
  else
    # shellcheck disable=SC2046 # several words
    nohup $(detach) /bin/sh "$dir/root.sh" run "$dir" "$sysroot" "$@" >/dev/null 2>&1 </dev/null &
  fi
  tries=0
  until [ -e "$dir/root.pid" ] || [ $tries = 100 ]; do
    tries=$((tries + 1))
    sleep 0.02
  done
}

# leave releases the machine.
leave() {
  unlock "$id"
  rm -rf "${own_dir:?}"
}

run() {
  exec >>"$dir/log" 2>&1 </dev/null
  cd /
  umask 022 # as for nixos-rebuild
  if [ -n "$sysroot" ]; then HOME=$sysroot/root; else HOME=$(cd ~root && pwd); fi
  export HOME
  read -r nonce <"$dir/nonce"
  put "$own_dir/pid" "$$ $boot_id"
  trap leave EXIT
  publish root.pid "$$"
  if [ -e "$dir/concluded" ]; then exit 0; fi
  naps=0
  until [ -e "$dir/activate" ]; do
    if [ -e "$dir/result" ] || ! user_half_lives; then exit 0; fi
    naps=$((naps + 1))
    if [ $naps -lt 100 ]; then sleep 0.1; else sleep 1; fi
  done
  {
    read -r built
    read -r to
    read -r checkout
    read -r pull_from
    read -r ssh_port
    read -r specialisation
    read -r on_inhibited
  } <"$dir/activate"
  if [ "$login_user" != root ] && find_sudo; then git_command="$sudo -n -u $login_user -H -- $git_command"; fi
  profile=$sysroot/nix/var/nix/profiles/system
  if resumed; then
    notice note resumed
  else
    before=$(real_path "$sysroot/run/current-system")
    previous=$(generation "$profile")
    failed_before=" $(failed_units)"
    find_log_size
    put "$own_dir/before" "$before" "$previous" "$failed_before" "$log_size"
    status=0
    case $kind in
      nixos) activate_nixos || status=$? ;;
      darwin) activate_darwin || status=$? ;;
    esac
    read_clock
    publish activated "$status $now"
  fi
  case $kind in
    nixos) conclude_nixos ;;
    darwin) conclude_darwin ;;
  esac
}

# resumed reports whether another process had started the work and was killed. What it was about to
# activate is then undone, and what it had activated is waited for as if nothing had happened.
resumed() {
  {
    read -r before
    read -r previous
    IFS= read -r failed_before
    read -r log_size
  } 2>/dev/null <"$own_dir/before" || return 1
  if read -r status _ 2>/dev/null <"$dir/activated"; then return; fi
  status=killed
  read_clock
  publish activated "137 $now" # the status that a shell reports for a process that was killed
}

user_half_lives() {
  read -r user_half _ <"$dir/pid" || return 1
  kill -0 "$user_half" 2>/dev/null
}

# publish FILE LINE writes a file that the user half can read.
publish() { put "$dir/$1" "$2"; }

# set_profile makes the built system the default.
set_profile() {
  case $to in
    0) nix-env -p "$profile" --set "$built" ;;
    *) nix-env -p "$profile" --switch-generation "$to" ;;
  esac
}

# reset_profile undoes set_profile.
reset_profile() {
  if [ -n "$previous" ] && [ "$(generation "$profile")" != "$previous" ]; then
    nix-env -p "$profile" --switch-generation "$previous"
  fi
}

# set_default makes the built system what the next boot starts. Without a boot entry it must not be
# the default: the profile would not be what boots, and the next deploy would find nothing to do.
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

# changed reports whether the link to the running system has moved.
changed() { [ "$(real_path "$sysroot/run/current-system")" != "$before" ]; }

# touched reports whether a failed activation may have changed the host. The link to the running
# system does not show that, because the activation scripts of NixOS and nix-darwin move it last. An
# activation has changed the host unless its output shows that it stopped before.
touched() {
  if [ ! -e "$dir/started" ]; then return 1; fi
  if changed || [ "$status" = killed ]; then return; fi
  if [ "$kind" = darwin ]; then touched_darwin; else touched_nixos; fi
}

# touched_nixos follows switch-to-configuration, which checks everything before it stops units and
# prints "activating the configuration...": see do_system_switch in nixpkgs,
# pkgs/by-name/sw/switch-to-configuration-ng/src/src/main.rs.
touched_nixos() {
  if [ "$status" = 100 ]; then return 1; fi # the init of the new system is incompatible
  if printed 'stopping |activating the configuration'; then return; fi
  ! printed 'Pre-switch checks failed|Could not (acquire|open) lock|This is not a NixOS installation|^Error: '
}

# touched_darwin follows nix-darwin's activation script, whose checks come first and exit with
# status 2, or with 1 if they are about permissions: see nix-darwin, modules/system/checks.nix,
# applications.nix and activation-scripts.nix.
touched_darwin() {
  if printed '^setting up '; then return; fi
  ! printed 'aborting activation'
}

# printed PATTERN reports whether the activation printed a line that matches.
printed() { output_since "$log_size" | grep -Eq "$1"; }

# note_start notes that the activation starts now.
note_start() { publish started "$built"; }

activate_nixos() {
  if [ "$goal" = boot ]; then
    set_default
    return
  fi
  case $specialisation in
    .* | *[!A-Za-z0-9._-]*) return 64 ;; # it would lead out of the system
  esac
  note_active_units
  note_start
  "$built${specialisation:+/specialisation/$specialisation}/bin/switch-to-configuration" test
}

# boots_later reports whether the next boot is to start a system that could not be switched to. That
# of the switch inhibitors is the only check that the boot loader does not need: see nixpkgs,
# nixos/modules/system/activation/switchable-system.nix.
boots_later() {
  if [ "$goal" = test ]; then return 1; fi
  [ "$status" = 100 ] || { [ "$on_inhibited" = boot ] && printed "Pre-switch check 'switchInhibitors' failed"; }
}

conclude_nixos() {
  if [ "$goal" = boot ]; then
    if [ "$status" = killed ]; then reset_profile || :; fi
    publish concluded "kept none"
    return
  fi
  case $status in
    0 | 4) decide ;;
    *)
      if touched; then
        if [ "$status" = 100 ]; then decide; else verdict='back activation'; fi
      elif boots_later; then
        verdict='kept none' # for status 100, that is what nixos-rebuild does
      else
        verdict='untouched'
      fi
      ;;
  esac
  case $verdict in
    back*) roll_back_nixos ;;
    kept*) if [ "$goal" != test ]; then keep_nixos; fi ;;
  esac
  publish concluded "$verdict"
}

# keep_nixos makes the system that runs what the next boot starts, too. Statuses 4 and 100 were
# already reported by the activation.
keep_nixos() {
  default_status=0
  set_default || default_status=$?
  case $default_status in
    0 | 4 | 100) ;;
    *) notice warn boot-entry "exit=$default_status" ;;
  esac
}

roll_back_nixos() {
  notice note rollback "to=$before"
  back_status=0
  if [ -n "$before" ]; then
    "$before/bin/switch-to-configuration" test || back_status=$?
  else
    # This host was never switched before: start the units that were active.
    rm -f "$sysroot/run/current-system"
    if has systemctl && [ -s "$dir/units" ]; then
      while read -r unit; do systemctl is-active --quiet "$unit" || echo "$unit"; done <"$dir/units" |
        while read -r unit; do systemctl start "$unit" || :; done
    fi
  fi
  # Units decide about status 4: those that had failed before do not count.
  if [ "$back_status" = 4 ]; then back_status=0; fi
  check_rollback
}

# check_rollback looks at what the way back left. If that is not what was before, $verdict becomes
# "incomplete CODE WHAT EXIT", WHAT being a list with commas.
check_rollback() {
  left=''
  if changed; then left=,system; fi
  if [ "$(generation "$profile")" != "$previous" ]; then left=$left,profile; fi
  for unit in $(failed_units); do
    case $failed_before in
      *" $unit "*) ;;
      *) left=$left,$unit ;;
    esac
  done
  if [ "$back_status" != 0 ]; then left=$left,activation; fi
  if [ -n "$left" ]; then
    notice warn rollback-exit "exit=$back_status"
    verdict="incomplete ${verdict#back } ${left#,} $back_status"
  fi
}

# note_active_units writes $dir/units on a host that has no system to return to.
note_active_units() {
  if [ -z "$before" ] && has systemctl; then
    systemctl list-units --state=active --type=service,socket --plain --no-legend |
      while read -r unit _; do echo "$unit"; done >"$dir/units"
  fi
}

# activate_darwin sets the profile first, because nix-darwin's activation has no test mode. It is
# set back if the activation is not confirmed.
activate_darwin() {
  set_profile || return 1
  note_start
  "$built/activate"
}

conclude_darwin() {
  case $status in
    0) decide ;;
    *) if touched; then verdict='back activation'; else verdict=untouched; fi ;;
  esac
  case $verdict in
    untouched)
      reset_profile || :
      if [ "$(generation "$profile")" != "$previous" ]; then verdict='incomplete activation profile 0'; fi
      ;;
    back*) roll_back_darwin ;;
  esac
  publish concluded "$verdict"
}

roll_back_darwin() {
  notice note rollback "to=$before"
  reset_profile || :
  back_status=none # there is no system to return to
  if [ -n "$before" ]; then
    back_status=0
    "$before/activate" || back_status=$?
  fi
  check_rollback
}
