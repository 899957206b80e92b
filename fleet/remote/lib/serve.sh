# shellcheck shell=sh
# serve.sh: builds what another host is going to run. Many of these jobs may run at once, also with
# different revisions, and next to a deploy of this host: each has a working tree of its own.
#
# uses: build check_disk fact fail filters get_revision git nix_setting pull ready slot source step
# inputs: builds remote rev runs_there serves system

# serve ARGUMENT... takes the arguments of the script.
serve() {
  runs=$runs_there
  start_step preflight
  check_tools
  check_disk
  check_system
  finish_step
  if [ "$builds" = 0 ]; then count_builds; fi
  take_slot build "$builds"
  start_step pull
  pull_source
  finish_step
  build "$@"
  rm -rf "${dir:?}/source"
}

# check_system fails if Nix on this host cannot build for the system of the other one. Whether the
# machines in builders can is left to Nix.
check_system() {
  [ -n "$system" ] || return 0
  own_systems="$(nix_setting system) $(nix_setting extra-platforms)"
  case " $own_systems " in
    *" $system "*) return ;;
  esac
  machines=$(nix_setting builders)
  case $machines in
    @*) machines=$(grep -v '^ *#' "${machines#@}" 2>/dev/null) || machines='' ;;
  esac
  [ -n "$machines" ] || fail wrong-system "system=$system" "systems=$own_systems"
}

# count_builds sets $builds to how many NixOS configurations can be evaluated at once: each needs
# several GiB of memory.
count_builds() {
  memory_kib=$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' "$sysroot/proc/meminfo" 2>/dev/null) || memory_kib=''
  if [ -z "$memory_kib" ]; then
    memory_bytes=$(sysctl -n hw.memsize 2>/dev/null) || memory_bytes=0
    memory_kib=$((memory_bytes / 1024))
  fi
  builds=$((memory_kib / 4194304))
  [ $builds -ge 1 ] || builds=1
}

# pull_source checks the revision out to a working tree of the job. The objects are those of a clone
# that all these jobs share.
pull_source() {
  find_source
  take_slot source 1
  if [ ! -d "$checkout/.git" ]; then
    rm -rf "$checkout"
    (umask 077 && mkdir -p "$checkout")
    git_ init -q
    git_ remote add origin "$remote"
  fi
  git_ remote set-url origin "$remote"
  origin=origin
  find_filters
  get_revision
  # Nix wants a HEAD even where it is given a revision.
  git_ update-ref --no-deref HEAD "$rev"
  git_ worktree prune
  check_out worktree add -q --force --detach "$dir/source" "$rev"
  leave_slots source
  checkout=$dir/source
  if has_submodules; then update_submodules || fail_submodules; fi
  fact pull "checked out for $serves"
}
