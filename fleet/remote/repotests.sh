# shellcheck shell=sh
# repotests.sh: runs the tests that the repository has for this host, one after the other, in the
# checkout. It prints a log like that of a job: a fact "test" names the script whose output follows,
# and a fact "exit" reports its exit status and its duration in seconds.
#
# uses: answer checkout ending fact fail limit mark nonce
# inputs: name test_seconds

main() {
  take "$@"
  draw_nonce
  step='test'
  answer following "$nonce" 0
  find_checkout
  cd "$checkout" 2>/dev/null || fail no-repo "repo=$checkout" why=missing
  for file in "hosts/$name/tests"/*.sh; do
    if [ ! -f "$file" ]; then continue; fi # without tests, it is the pattern itself
    fact test "${file##*/}"
    run_test
  done
  finish tested -
}

run_test() {
  test_start=$(date +%s)
  test_status=0
  if [ -x "$file" ]; then set -- "./$file"; else set -- sh "$file"; fi
  limit "$test_seconds" "$@" 2>&1 </dev/null || test_status=$?
  fact exit "$test_status $(($(date +%s) - test_start))"
}

# finish OUTCOME CODE [KEY=VALUE...] ends the tests.
finish() {
  compose_ending "$@"
  mark end "$ending"
  exit 0
}
