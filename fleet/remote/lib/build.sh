# shellcheck shell=sh
# build.sh: builds the configuration once, as the login user. The out-link in the directory of the
# job is the GC root.
#
# uses: fact fail git nix_within own_revision real_path step
# inputs: attribute build_seconds flake_dir rev

# build sets $built to the store path.
build() {
  start_step build
  cd "$checkout" || fail no-repo "repo=$checkout" why=no-entry
  if [ -n "$flake_dir" ]; then
    # Without this, Nix would use a flake in a directory above.
    [ -f "$flake_dir/flake.nix" ] || fail no-flake "repo=$checkout" "dir=$flake_dir"
    cd "$flake_dir"
  fi
  flake=.
  if git_ cat-file -e HEAD:.gitmodules 2>/dev/null; then flake='.?submodules=1'; fi
  build_status=0
  # With -v, internal-json reports copies, too. An input that is not locked must fail: hosts would
  # resolve it to different versions.
  nix_within "$build_seconds" build "$flake#$attribute" --out-link "$dir/built" --no-update-lock-file \
    --log-format internal-json -v 2>&1 </dev/null || build_status=$?
  if [ $build_status = 124 ]; then fail timeout "seconds=$build_seconds"; fi
  built=$(real_path "$dir/built")
  if [ $build_status != 0 ] || [ -z "$built" ]; then fail build "exit=$build_status"; fi
  fact built "$built"
  report_source
  finish_step
}

# report_source reports the commit and the hash of the files that Nix has read as the flake, for
# comparing hosts: filters of git, such as LFS and git-crypt, and submodules can make them differ.
# Nothing depends on it.
report_source() {
  source_seconds=60
  [ "$build_seconds" -ge $source_seconds ] || source_seconds=$build_seconds
  metadata=$(nix_within "$source_seconds" flake metadata "$flake" --json --no-update-lock-file 2>/dev/null </dev/null) || return 0
  # The first "locked" is the flake's own; the inputs follow.
  locked=${metadata#*'"locked":{'}
  [ "$locked" != "$metadata" ] || return 0
  json_string narHash "${locked%%\}*}"
  [ -n "$string" ] || return 0
  fact commit "${rev:-$head}"
  fact nar-hash "$string"
}
