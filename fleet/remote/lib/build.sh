# shellcheck shell=sh
# build.sh: builds the configuration once, as the login user. The out-link in the directory of the
# job is the GC root.
#
# uses: fact fail git nix_build notice real_path step
# inputs: attribute build_seconds flake_dir

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
  for url in $silent; do notice warn substituter "url=$url" "left=$substituters"; done
  # With -v, internal-json reports copies, too.
  out_link=$dir/built log_format='--log-format internal-json -v'
  nix_build "$@"
  if [ "$nix_status" = 124 ]; then fail timeout "seconds=$build_seconds"; fi
  built=$(real_path "$dir/built")
  if [ "$nix_status" != 0 ] || [ -z "$built" ]; then fail build "exit=$nix_status"; fi
  fact built "$built"
  finish_step
}
