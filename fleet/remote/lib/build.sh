# shellcheck shell=sh
# build.sh: builds the configuration once, as the login user. The out-link in the directory of the
# job is the GC root.
#
# uses: fact fail nix_within real_path step
# inputs: attribute build_seconds

# build sets $built to the store path.
build() {
  start_step build
  cd "$checkout" || fail no-repo "repo=$checkout" why=no-entry
  build_status=0
  # With -v, internal-json reports copies, too. An input that is not locked must fail: hosts would
  # resolve it to different versions.
  nix_within "$build_seconds" build ".#$attribute" --out-link "$dir/built" --no-update-lock-file \
    --log-format internal-json -v 2>&1 </dev/null || build_status=$?
  if [ $build_status = 124 ]; then fail timeout "seconds=$build_seconds"; fi
  built=$(real_path "$dir/built")
  if [ $build_status != 0 ] || [ -z "$built" ]; then fail build "exit=$build_status"; fi
  fact built "$built"
  finish_step
}
