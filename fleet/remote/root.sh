# shellcheck shell=sh
# root.sh: the root half of a job. It waits until the user half has built, activates, and waits
# until the activation is confirmed or undoes it, no matter what happens to everything else. It ends
# when the job does.
#
# It runs as "root.sh start", which detaches "root.sh run" and, with systemd, the user half as well.
# launch.sh puts the arguments into the script itself: others can read those of a process.
# Everything that the root half runs, reads again and writes is in its own directory, of which the
# login user can read what it publishes: its log and its answers. In the directory of the job it
# only looks which files exist. What is in them it reads as the login user, and checks.
#
# First the new system runs. When it is confirmed, it becomes what the next boot starts: a crash in
# between boots the old one.
#
# "root.sh start" exits with status 0 if the root half runs, 75 if another job, whose ID it prints,
# is running on this machine, and another one if the root half could not be started.
#
# uses: answering as_user boot_id clock decide detach failed_units generation has job_unit locales
# uses: lock log_size mark notice output put real_path root_state unlock
# inputs: confirm confirm_seconds dir goal id key kind launcher login_user nonce

main() {
  verb=$1
  shift
  take "$@"
  case $id$key in
    *[!A-Za-z0-9._-]* | .*) exit 64 ;;
  esac
  PATH=$wrappers:$system_path
  read_boot_id
  find_root_state
  state=$root_state # one for the machine: jobs of two users never activate at once
  own_dir=$state/jobs/$id
  public=$own_dir/$key # only root and the login user know the name
  case $verb in
    start) start ;;
    run) run ;;
  esac
}

start() {
  umask 077
  await_turn
  set_up || exit 69
  # The root half of a job that has just ended takes a moment to notice.
  tries=0
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
      --description="fleetctl job $id, root half" -- /bin/sh "$own_dir/root.sh" run || {
      leave
      rm -rf "${own_dir:?}"
      exit 69
    }
    await_run
    if start_job_unit --uid="$login_user"; then publish unit "fleetctl-job-$id"; fi
    return
  fi
  trap '' HUP
  # shellcheck disable=SC2046 # several words
  $(detach) /bin/sh "$own_dir/root.sh" run >/dev/null 2>&1 </dev/null &
  await_run
}

# await_turn waits for the root half of an earlier launch of this job, which ends with that launch.
await_turn() {
  tries=0
  while job_lives "$id"; do
    tries=$((tries + 1))
    if [ $tries = 50 ]; then
      rm -f "$0"
      echo "$id"
      exit 75
    fi
    sleep 0.1
  done
}

# set_up makes the directory of the root half, moves this script there, and removes old directories.
# Other users cannot list what is in it.
set_up() {
  [ -d "$state/jobs" ] || mkdir -m 711 "$state/jobs" || return 1
  set -- "$state/jobs"/*
  if [ $# -gt 8 ]; then
    # shellcheck disable=SC2012 # the names are those of jobs, and ls sorts by time
    ls -1t "$state/jobs" | tail -n +9 | while read -r old; do
      if ! job_lives "$old"; then rm -rf "${state:?}/jobs/$old"; fi
    done
  fi
  if [ -e "$own_dir" ]; then rm -rf "${own_dir:?}"; fi
  mkdir -m 711 "$own_dir" && mkdir -m 755 "$public" && mv -f "$0" "$own_dir/root.sh" || return 1
  put "$own_dir/pid" "$$ $boot_id"
  (umask 022 && : >"$public/log")
}

# await_run waits until "root.sh run" runs.
await_run() {
  tries=0
  until [ -e "$public/running" ] || [ $tries = 100 ]; do
    tries=$((tries + 1))
    sleep 0.02
  done
}

# leave releases the machine. What was published stays until later jobs remove it, for a session
# that has to find out how the job ended.
leave() {
  rm -f "$own_dir/pid"
  unlock "$id"
}

run() {
  own_log=$public/log
  exec >>"$own_log" 2>&1 </dev/null
  cd /
  umask 022 # as for nixos-rebuild
  if [ -n "$sysroot" ]; then HOME=$sysroot/root; else HOME=$(cd ~root && pwd); fi
  export HOME
  set_locales
  find_as_user
  put "$own_dir/pid" "$$ $boot_id"
  trap leave EXIT
  publish running
  if [ -e "$public/concluded" ]; then exit 0; fi
  await_word
  profile=$sysroot/nix/var/nix/profiles/system
  read_word
  # What was accepted was accepted, even if the user has removed it since.
  if [ ! -e "$own_dir/before" ] && ! acceptable; then
    notice warn rejected "path=$built"
    read_clock
    publish activated "rejected $now"
    publish concluded untouched
    exit 0
  fi
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

# await_word waits until the user half has built, and exits if it ends before that.
await_word() {
  user_half=$launcher # until the user half has noted its own
  naps=0
  until [ -e "$dir/activate" ]; do
    if [ "$user_half" = "$launcher" ] && [ -e "$dir/began" ]; then
      read_as_user "$dir/pid" >"$own_dir/user_half"
      read -r user_half _ <"$own_dir/user_half" || user_half=''
    fi
    case $user_half in
      '' | *[!0-9]*) exit 0 ;;
    esac
    if [ -e "$dir/result" ] || ! kill -0 "$user_half" 2>/dev/null; then exit 0; fi
    naps=$((naps + 1))
    if [ $naps -lt 100 ]; then sleep 0.1; else sleep 1; fi
  done
}

# read_word reads what the user half wants to have activated: once, so that a root half that was
# started again undoes what it did.
read_word() {
  if [ ! -e "$own_dir/word" ]; then
    read_as_user "$dir/activate" >"$own_dir/word.new"
    mv -f "$own_dir/word.new" "$own_dir/word"
  fi
  built='' to='' checkout='' pull_from='' ssh_port='' specialisation='' on_inhibited=''
  {
    read -r built
    read -r to
    read -r checkout
    read -r pull_from
    read -r ssh_port
    read -r specialisation
    read -r on_inhibited
  } <"$own_dir/word" || :
}

# acceptable reports whether that is a system of this kind in the store, and the one that the job
# has built or the user has named by its generation.
acceptable() {
  case $to in
    '' | *[!0-9]*) return 1 ;;
    0) same=$dir/built ;;
    *) same=$profile-$to-link ;;
  esac
  case $ssh_port in
    '' | *[!0-9]*) return 1 ;;
  esac
  case $specialisation in
    .* | *[!A-Za-z0-9._-]*) return 1 ;; # it would lead out of the system
  esac
  case $kind in
    nixos) program=${specialisation:+specialisation/$specialisation/}bin/switch-to-configuration ;;
    darwin) program=activate ;;
  esac
  store=$(real_path "$sysroot/nix/store")
  name=${built#"$store/"}
  case $name in
    "$built" | '' | .* | */*) return 1 ;;
  esac
  [ ! -L "$built" ] && [ -f "$built/$program" ] && [ -x "$built/$program" ] && [ "$(real_path "$same")" = "$built" ]
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
  if read -r status _ 2>/dev/null <"$public/activated"; then return; fi
  status=killed
  read_clock
  publish activated "137 $now" # the status that a shell reports for a process that was killed
}

# publish FILE [LINE] writes a file that the user half can read.
publish() {
  published=$public/$1
  shift
  put "$published" "$@"
}

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
  if [ ! -e "$public/started" ]; then return 1; fi
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
    if has systemctl && [ -s "$own_dir/units" ]; then
      while read -r unit; do systemctl is-active --quiet "$unit" || echo "$unit"; done <"$own_dir/units" |
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

# note_active_units writes $own_dir/units on a host that has no system to return to.
note_active_units() {
  if [ -z "$before" ] && has systemctl; then
    systemctl list-units --state=active --type=service,socket --plain --no-legend |
      while read -r unit _; do echo "$unit"; done >"$own_dir/units"
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
