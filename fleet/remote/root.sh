# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154
# root.sh: the root half of a job. `start` detaches it, and says "started" or "busy"; `run` waits until the job's user half has
# built, activates as the stock tools do, and ends when the job does. Its arguments after that are the job's directory, the root
# of the host, and the job's NAME=VALUE arguments.

main() {
  verb=$1 dir=$2 R=$3
  shift 3
  take "$@"
  this_boot=$(boot)
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
    systemd-run --unit="fleetctl-$id" --collect --quiet --service-type=exec --description="fleetctl job $id of $who" -- \
      /bin/sh "$dir/root.sh" run "$dir" "$R" "$@" || return 0
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

put_pid() { echo "$$ $this_boot" >"$jobs/$id/pid"; }

run() {
  exec >>"$dir/log" 2>&1 </dev/null
  cd /
  if [ -n "$R" ]; then HOME=$R/root; else HOME=$(cd ~root && pwd); fi
  export HOME
  put_pid
  trap 'unlock "$id"; rm -rf "${jobs:?}/$id"' EXIT
  say root.pid "$$"
  naps=0
  until [ -e "$dir/activate" ]; do
    if [ -e "$dir/result" ] || ! job_lives; then exit 0; fi
    naps=$((naps + 1))
    if [ $naps -lt 100 ]; then sleep 0.1; else sleep 1; fi
  done
  read -r built <"$dir/activate"
  profile=$R/nix/var/nix/profiles/system
  status=0
  "activate_$kind" || status=$?
  say activated $status
}

job_lives() {
  read -r job_pid _ <"$dir/pid" || return 1
  kill -0 "$job_pid" 2>/dev/null
}

# say NAME WORD: to the user half, which must be able to read it.
say() {
  printf '%s\n' "$2" >"$dir/$1.new"
  chmod 0644 "$dir/$1.new"
  mv -f "$dir/$1.new" "$dir/$1"
}

# set_profile makes the built system the default, and remembers what was.
set_profile() {
  previous=$(readlink "$profile" 2>/dev/null | sed -n 's/.*-\([0-9][0-9]*\)-link$/\1/p')
  nix-env -p "$profile" --set "$built"
}

# set_back: after a failure that left the old system running, it is the default again.
set_back() {
  if [ -n "$previous" ] && [ "$(there "$R/run/current-system")" != "$built" ]; then
    nix-env -p "$profile" --switch-generation "$previous" || :
  fi
}

activate_nixos() {
  if [ "$goal" != test ]; then set_profile || return 1; else previous=''; fi
  status=0
  NIXOS_INSTALL_BOOTLOADER='' "$built/bin/switch-to-configuration" "$goal" || status=$?
  case $status in
    0 | 4 | 100) ;;
    *) set_back ;;
  esac
  return "$status"
}

activate_darwin() {
  set_profile || return 1
  status=0
  "$built/activate" || status=$?
  [ "$status" = 0 ] || set_back
  return "$status"
}
