# shellcheck shell=sh
# probe.sh: prints the status of this host as lines of KEY VALUE. It changes, fetches and builds
# nothing, and leaves out what it cannot find. Tables wait for it, so it starts few processes.
#
# uses: answer boot_id checkout current describe_job end_answer failed_units generation git has
# uses: holder home_profile modified parent profile real_path revision state trial
# inputs: flake_dir kind managed

main() {
  take "$@"
  read_boot_id
  answer probed
  print kind "$kind"
  print boot "$boot_id"
  print time "$(date +%s)"
  # A part that fails does not keep the others from being printed.
  probe_machine || :
  probe_nix || :
  probe_disks || :
  probe_system || :
  probe_units || :
  probe_checkout || :
  probe_job || :
  probe_agent || :
  end_answer
}

# print KEY VALUE prints a line if there is a value.
print() { [ -z "$2" ] || printf '%s %s\n' "$1" "$2"; }

probe_machine() {
  proc=$sysroot/proc
  if ! [ -r "$proc/loadavg" ]; then proc=/proc; fi
  if [ -r "$proc/loadavg" ]; then probe_linux; else probe_macos; fi
}

probe_linux() {
  if read -r value <"$sysroot/proc/sys/kernel/hostname"; then print host "$value"; fi
  if read -r value _ <"$proc/uptime"; then print uptime "$value"; fi
  if read -r value <"$proc/loadavg"; then print load "$value"; fi
  if read -r _ value <"$proc/stat"; then print ticks "$value"; fi
  print cores "$(getconf _NPROCESSORS_ONLN 2>/dev/null || nproc 2>/dev/null)"
  while read -r key value _; do
    case $key in
      MemTotal: | MemAvailable: | SwapTotal:) print "${key%:}" "$value" ;;
      SwapFree:) print SwapFree "$value" && break ;;
    esac
  done <"$proc/meminfo"
  # os-release(5) is made to be read by sh.
  # shellcheck disable=SC1091 # it is on the host
  if [ -r "$sysroot/etc/os-release" ]; then print os "$(. "$sysroot/etc/os-release" && echo "${NAME:-Linux} ${VERSION_ID:-}")"; fi
}

probe_macos() {
  print host "$(uname -n)"
  print os "macOS $(sw_vers -productVersion)"
  sysctl kern.boottime vm.loadavg hw.memsize hw.logicalcpu vm.swapusage 2>/dev/null | sed 's/^/sysctl /'
  vm_stat | sed 's/^/vm_stat /'
}

# probe_nix reads the version from the path of the program, which is faster than starting it.
probe_nix() {
  nix=$(command -v nix) || return 0
  nix_path=$(readlink -f "$nix" 2>/dev/null) || nix_path=''
  case $nix_path in
    *-nix-[0-9]*/bin/nix)
      nix_path=${nix_path%/bin/nix}
      print nix "${nix_path##*-nix-}"
      ;;
    *)
      nix_version=$(nix --version 2>/dev/null) || return 0
      print nix "${nix_version##* }"
      ;;
  esac
}

probe_disks() {
  df -Pk "$sysroot/" "$sysroot/nix/store" 2>/dev/null | {
    read -r _
    for disk in root store; do
      read -r _ total _ free _ && print "$disk" "$total $free"
    done
  }
}

probe_system() {
  deployed=$(current)
  print deployed "$deployed"
  find_revision "$(current_link)"
  print revision "$revision"
  if [ "$kind" = nixos ]; then
    find_parent "$deployed"
    print specialisation "$special"
    print parent "$parent"
  fi
  find_profile
  print profile "$(real_path "$profile")"
  number=$(generation "$profile")
  print generation "$number"
  if [ -n "$number" ]; then print generation-time "$(modified "$profile-$number-link")"; fi
  if [ "$kind" = nixos ]; then
    booted=$(real_path "$sysroot/run/booted-system")
    print booted "$booted"
    if [ -n "$booted" ] && [ "$booted" != "$deployed" ] && [ "$(boot_files "$booted")" != "$(boot_files "$deployed")" ]; then
      print reboot yes
    fi
  fi
}

# boot_files SYSTEM prints the parts of the system that only a boot can start.
boot_files() { readlink -f "$1/kernel" "$1/initrd" "$1/kernel-modules"; }

# probe_units skips homes: the units of the machine are not theirs.
probe_units() {
  if [ "$kind" = home ]; then return; fi
  for failed_unit in $(failed_units); do print failed "$failed_unit"; done
}

probe_checkout() {
  find_checkout
  [ -d "$checkout" ] || return 0
  git_ status --porcelain=v2 --branch --untracked-files=no 2>/dev/null | while read -r mark key value; do
    case "$mark $key" in
      '# branch.oid') head=$value && print checkout "$head" ;;
      '# branch.head')
        print branch "$value"
        if [ "$value" = "(detached)" ]; then find_trial "$head" && print trial "$trial"; fi
        ;;
      '# branch.ab') print standing "$value" ;;
      '# '*) ;;
      *) print dirty yes && break ;; # changed files come after the branch, and one is enough
    esac
  done
  print subject "$(git_ log -1 --no-show-signature --format=%s 2>/dev/null)"
  lock=${flake_dir:+$flake_dir/}flake.lock
  if [ -f "$checkout/$lock" ]; then print lock "$(git_ hash-object -- "$lock")"; fi
}

probe_job() {
  if find_holder; then print job "$(describe_job "$holder")"; fi
}

# probe_agent prints the socket of the health agent that this user may use. The agent of a home
# comes first; that of the machine knows the machine as well.
probe_agent() {
  set --
  if [ "$kind" = home ]; then
    set -- "$sysroot${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/fleetctl-agent/agent.sock" "$state/agent.sock"
  fi
  for socket in "$@" "$sysroot/run/fleetctl-agent/agent.sock" "$sysroot/var/run/fleetctl-agent/agent.sock"; do
    if [ -S "$socket" ] && [ -w "$socket" ]; then print agent "$socket" && return; fi
  done
}
