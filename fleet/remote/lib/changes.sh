# shellcheck shell=sh
# changes.sh: reports how what is activated differs from what ran before. Nothing depends on it, so
# it neither fails a job nor holds up an activation.
#
# uses: compare mark

# compare_meanwhile compares $from with $selected while the job continues.
compare_meanwhile() {
  if [ "$from" = "$selected" ]; then return; fi
  compare "$from" "$selected" 15 </dev/null >"$dir/changes" 2>/dev/null &
  comparer=$!
}

# report_changes reports the result of the comparison, if there was one. The lines cannot be taken
# for other markers: fleet/change accepts only those of compare.sh.
report_changes() {
  [ -n "$comparer" ] || return 0
  wait "$comparer" || :
  comparer=''
  [ -r "$dir/changes" ] || return 0
  while IFS= read -r change_line; do mark change "$change_line"; done <"$dir/changes"
}
