# shellcheck shell=sh
# relay.sh: copies the log of the root half to that of the job. The root half writes no file of the
# login user, who could have replaced it by a link.
#
# $dir/relay keeps how far the copy is, for settle.sh: the size of the log of the job at the start
# of the copy, or a dash between copies, and the number of bytes that had been copied then. Nothing
# else is added to the log of the job meanwhile.
#
# uses: log_size put

# relay_rest copies what was not yet copied.
relay_rest() {
  find_relayed
  put "$dir/relay" "$log_size $relayed"
  tail -c "+$((relayed + 1))" 2>/dev/null <"$root_dir/log" || :
  find_relayed
  put "$dir/relay" "- $relayed"
}

# find_relayed sets $relayed to the number of bytes that were copied, and $log_size.
find_relayed() {
  read -r relay_from relayed 2>/dev/null <"$dir/relay" || relay_from=- relayed=0
  find_log_size
  if [ "$relay_from" != - ]; then
    relayed=$((relayed + log_size - relay_from))
  fi
}
