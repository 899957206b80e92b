# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154
# probe.sh: how this host fares, in lines of KEY VALUE. It changes, fetches and builds nothing; what cannot be had is left out. Tables
# wait for it, so it starts few processes: what a shell can read by itself, it reads.

main() {
  take "$@"
  know_boot
  answer probed
  tell kind "$kind"
  tell boot "$this_boot"
  tell time "$(date +%s)"
  for part in machine nix disks system units checkout job agent; do
    "probe_$part" || : # the other parts are not to suffer
  done
}

# tell KEY VALUE: a line, where there is a value.
tell() { [ -z "$2" ] || printf '%s %s\n' "$1" "$2"; }

probe_machine() {
  if [ -r /proc/loadavg ]; then probe_linux; else probe_macos; fi
}

probe_linux() {
  if read -r line <"$R/proc/sys/kernel/hostname"; then tell host "$line"; fi
  if read -r line _ </proc/uptime; then tell uptime "$line"; fi
  if read -r line </proc/loadavg; then tell load "$line"; fi
  if read -r _ line </proc/stat; then tell ticks "$line"; fi
  tell cores "$(getconf _NPROCESSORS_ONLN 2>/dev/null || nproc 2>/dev/null)"
  while read -r key line _; do
    case $key in
      MemTotal: | MemAvailable: | SwapTotal:) tell "${key%:}" "$line" ;;
      SwapFree:) tell SwapFree "$line" && break ;;
    esac
  done </proc/meminfo
  # os-release(5) is made to be read by sh.
  # shellcheck disable=SC1091
  if [ -r "$R/etc/os-release" ]; then tell os "$(. "$R/etc/os-release" && echo "${NAME:-Linux} ${VERSION_ID:-}")"; fi
}

probe_macos() {
  tell host "$(uname -n)"
  tell os "macOS $(sw_vers -productVersion)"
  sysctl kern.boottime vm.loadavg hw.memsize hw.logicalcpu vm.swapusage 2>/dev/null | sed 's/^/sysctl /'
  vm_stat | sed 's/^/vm_stat /'
}

# probe_nix: the version is in the path of the program, which is found sooner than the program starts.
probe_nix() {
  nix=$(command -v nix) || return 0
  case $(readlink -f "$nix" 2>/dev/null) in
    *-nix-[0-9]*/bin/nix)
      nix=$(readlink -f "$nix")
      nix=${nix%/bin/nix}
      tell nix "${nix##*-nix-}"
      ;;
    *)
      nix=$(nix --version 2>/dev/null) || return 0
      tell nix "${nix##* }"
      ;;
  esac
}

probe_disks() {
  df -Pk "$R/" "$R/nix/store" 2>/dev/null | {
    read -r _
    for disk in root store; do
      read -r _ total _ free _ && tell "$disk" "$total $free"
    done
  }
}

probe_system() {
  deployed=$(current)
  tell deployed "$deployed"
  know_revision
  tell revision "$revision"
  case $kind in
    home) profile=$(home_profiles)/home-manager ;;
    *) profile=$R/nix/var/nix/profiles/system ;;
  esac
  tell profile "$(there "$profile")"
  probe_generation
  if [ "$kind" = nixos ]; then
    booted=$(there "$R/run/booted-system")
    tell booted "$booted"
    if [ -n "$booted" ] && [ "$booted" != "$deployed" ] && [ "$(core "$booted")" != "$(core "$deployed")" ]; then tell reboot yes; fi
  fi
}

# core SYSTEM: what of it only a boot can start.
core() { readlink -f "$1/kernel" "$1/initrd" "$1/kernel-modules"; }

probe_generation() {
  link=$(readlink "$profile" 2>/dev/null) || return 0
  number=${link%-link}
  tell generation "${number##*-}"
  case $link in
    /*) ;;
    *) link=${profile%/*}/$link ;;
  esac
  tell generation-time "$(made_at "$link")"
}

# probe_units: a machine's units are no business of one user's home.
probe_units() {
  if [ "$kind" = home ]; then return; fi
  for unit in $(failed_units); do tell failed "$unit"; done
}

probe_checkout() {
  find_repo
  [ -d "$repo" ] || return 0
  git_ status --porcelain=v2 --branch --untracked-files=no 2>/dev/null | while read -r mark key line; do
    case "$mark $key" in
      '# branch.oid') tell checkout "$line" ;;
      '# branch.head') tell branch "$line" ;;
      '# branch.ab') tell standing "$line" ;;
      '# '*) ;;
      *) tell dirty yes && break ;; # what is changed comes after the branch, and one is enough
    esac
  done
  tell subject "$(git_ log -1 --no-show-signature --format=%s 2>/dev/null)"
  if [ -f "$repo/flake.lock" ]; then tell lock "$(git_ hash-object -- flake.lock)"; fi
}

probe_job() {
  holder=$(readlink "$state/lock" 2>/dev/null) || return 0
  if alive "$holder"; then tell job "$(whose "$holder")"; fi
}

# probe_agent: the socket that this user may ask at. A home's own agent comes first; the machine's knows the machine as well.
probe_agent() {
  if [ "$kind" = home ]; then set -- "$R${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/fleetctl-agent/agent.sock" "$state/agent.sock"; fi
  for socket in "$@" "$R/run/fleetctl-agent/agent.sock" "$R/var/run/fleetctl-agent/agent.sock"; do
    if [ -S "$socket" ] && [ -w "$socket" ]; then tell agent "$socket" && return; fi
  done
}
