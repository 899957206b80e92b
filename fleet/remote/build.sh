# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154
# build.sh: builds what is to be activated, once, as the login user. Its out-link in the job's directory is the GC root.

build() {
  begin build
  cd "$repo" || fail no-repo "cannot enter \"$repo\""
  case $kind in
    nixos) installable=".#nixosConfigurations.\"$attr\".config.system.build.toplevel" ;;
    darwin) installable=".#darwinConfigurations.\"$attr\".system" ;;
    home) installable=".#homeConfigurations.\"$attr\".activationPackage" ;;
  esac
  build_status=0
  # -v makes internal-json tell of copies too; the lock file is the repository's and is not written here.
  limit "$build_seconds" nix --extra-experimental-features 'nix-command flakes' build "$installable" \
    --out-link "$dir/built" --no-write-lock-file --log-format internal-json -v 2>&1 </dev/null || build_status=$?
  if [ $build_status = 124 ]; then fail timeout "nix build took more than $build_seconds s"; fi
  if [ $build_status != 0 ]; then fail build "nix build exited with $build_status"; fi
  built=$(there "$dir/built")
  [ -n "$built" ] || fail build "nix build left no $dir/built"
  fact built "$built"
  done_with build
}
