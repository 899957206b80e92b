# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154
# tests.sh: runs the scripts that the repository has for this host, one after the other, in the checkout. Its output is like that of a
# job: a fact "test" names the script whose output comes next, a fact "exit" tells how it ended.

main() {
  take "$@"
  draw_nonce
  dir='' step=test
  answer following "$nonce" 0
  find_repo
  cd "$repo" 2>/dev/null || fail no-repo "there is no directory \"$repo\""
  for file in "hosts/$name/tests"/*.sh; do
    if [ ! -f "$file" ]; then continue; fi # the pattern itself, where there is none
    fact test "${file##*/}"
    run_test
  done
  finish tested - "all were run"
}

run_test() {
  began=$(date +%s)
  test_status=0
  if [ -x "$file" ]; then set -- "./$file"; else set -- sh "$file"; fi
  limit "$test_seconds" "$@" 2>&1 </dev/null || test_status=$?
  fact exit "$test_status $(($(date +%s) - began))"
}
