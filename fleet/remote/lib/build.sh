# shellcheck shell=sh
# build.sh: builds the configuration once, as the login user. The out-link in the directory of the
# job is the GC root.
#
# uses: fact fail git nix_build nix_within notice own_revision real_path redact step
# inputs: attribute build_seconds flake_dir rev

# build ARGUMENT... takes the arguments of the script. It sets $built to the store path.
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
  find_substituters "$@"
  if [ -n "$silent" ]; then
    left=$(printf '%s\n' "$substituters" | redact)
    for url in $(printf '%s\n' "$silent" | redact); do notice warn substituter "url=$url" "left=$left"; done
  fi
  # With -v, internal-json reports copies, too.
  out_link=$dir/built log_format='--log-format internal-json -v'
  nix_build "$@"
  if [ "$nix_status" = 124 ]; then fail timeout "seconds=$build_seconds"; fi
  built=$(real_path "$dir/built")
  if [ "$nix_status" != 0 ] || [ -z "$built" ]; then fail build "exit=$nix_status"; fi
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
