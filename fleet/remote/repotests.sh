# shellcheck shell=sh
# repotests.sh: runs the tests that the repository has for this host, one after the other, in the
# checkout. It prints a log like that of a job: a fact "revision" names the commit of the checkout,
# a fact "test" the script whose output follows, and a fact "exit" reports its exit status and its
# duration in seconds.
#
# uses: answer checkout clock ending fact fail git limit mark nonce
# inputs: each_seconds name test_seconds

main() {
  take "$@"
  draw_nonce
  step='test'
  answer following "$nonce" 0
  find_checkout
  cd "$checkout" 2>/dev/null || fail no-repo "repo=$checkout" why=missing
  fact revision "$(git_ rev-parse -q --verify HEAD 2>/dev/null)"
  read_clock
  test_end=$((now + test_seconds))
  set -- "hosts/$name/tests"/*.sh
  for file in "$@"; do
    if [ ! -f "$file" ]; then continue; fi # without tests, it is the pattern itself
    # This one runs the others, for people who have logged in.
    if [ "${file##*/}" = run-all-tests.sh ] && [ $# -gt 1 ]; then continue; fi
    read_clock
    test_left=$((test_end - now))
    [ "$test_left" -gt 0 ] || fail timeout "test=${file##*/}" "seconds=$test_seconds"
    if [ "$test_left" -gt "$each_seconds" ]; then test_left=$each_seconds; fi
    fact test "${file##*/}"
    run_test
  done
  finish tested -
}

run_test() {
  test_start=$(date +%s)
  test_status=0
  if [ -x "$file" ]; then set -- "./$file"; else set -- sh "$file"; fi
  limit "$test_left" "$@" 2>&1 </dev/null || test_status=$?
  fact exit "$test_status $(($(date +%s) - test_start))"
}

# finish OUTCOME CODE [KEY=VALUE...] ends the tests.
finish() {
  compose_ending "$@"
  mark end "$ending"
  exit 0
}
