# shellcheck shell=sh
# changes.sh: reports how what is activated differs from what ran before. Nothing depends on it, so
# it neither fails a job nor holds up an activation.
#
# uses: compare mark

# compare_meanwhile compares $from with $selected while the job continues.
compare_meanwhile() {
  if [ "$from" = "$selected" ]; then return; fi
  (
    compare "$from" "$selected" 15 >"$dir/changes.new"
    mv -f "$dir/changes.new" "$dir/changes"
  ) </dev/null >/dev/null 2>&1 &
  comparer=$!
}

# report_changes reports the result of the comparison, if there was one. The lines cannot be taken
# for other markers: fleet/change accepts only those of compare.sh.
report_changes() {
  [ -n "$comparer" ] || return 0
  wait "$comparer" || :
  comparer=''
  if [ ! -e "$dir/changes" ]; then
    mark change incomparable failed
    return
  fi
  while IFS= read -r change_line; do mark change "$change_line"; done <"$dir/changes"
}
