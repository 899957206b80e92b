# shellcheck shell=sh
# nix_build.sh: builds with the settings and arguments of the inventory and of the run. A deploy and
# a plan build alike.
#
# uses: clock nix_within substituters
# inputs: build_seconds nix_arg... nix_option...

# nix_build ARGUMENT... takes the arguments of the script. It builds $attribute of the flake $flake
# and links the result to $out_link. If that is empty, it only prints what it would do. $log_format
# is more words for nix. It sets $nix_status.
nix_build() {
  nix_status=0
  read_clock
  nix_until=$((now + build_seconds))
  for argument in "$@"; do
    shift
    case $argument in
      nix_option=*)
        argument=${argument#*=}
        set -- "$@" --option "${argument%% *}" "${argument#* }"
        ;;
      nix_arg=*) set -- "$@" "${argument#*=}" ;;
    esac
  done
  # An input that is not locked must fail: hosts would resolve it to different versions. With
  # --override-input, nix does not check that (lockFlags.writeLockFile in Nix,
  # src/libcmd/installables.cc and src/libflake/flake.cc), so it is checked without it.
  case " $* " in
    *' --override-input '*) check_locks ;;
  esac
  [ "$nix_status" = 0 ] || return 0
  # The last one takes precedence, and replaces those that extra-substituters added.
  if [ -n "$silent" ]; then set -- "$@" --option substituters "$substituters"; fi
  if [ -n "$out_link" ]; then set -- --out-link "$out_link" "$@"; else set -- --dry-run "$@"; fi
  # shellcheck disable=SC2086 # several words
  run_until build "$flake#$attribute" --no-update-lock-file $log_format "$@" 2>&1 </dev/null || nix_status=$?
}

check_locks() {
  # shellcheck disable=SC2086 # several words
  run_until flake metadata "$flake" --no-update-lock-file $log_format 2>&1 >/dev/null </dev/null || nix_status=$?
}

# run_until ARG... runs nix with what is left of the time.
run_until() {
  read_clock
  nix_left=$((nix_until - now))
  [ $nix_left -ge 1 ] || nix_left=1
  nix_within $nix_left "$@"
}
