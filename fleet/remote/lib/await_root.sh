# shellcheck shell=sh
# await_root.sh: waits for the root half of the job.
#
# uses: fail root_lives

# await_root activated|concluded waits for the file and sets $root_answer to its line, or to "gone"
# if the root half died after it had activated. If it died while it activated, nothing more is known
# than that.
await_root() {
  root_naps=0
  until [ -e "$dir/$1" ]; do
    root_naps=$((root_naps + 1))
    if [ $((root_naps % 50)) = 0 ] && ! root_lives && [ ! -e "$dir/$1" ]; then
      if [ "$1" = activated ] && [ -e "$dir/started" ]; then finish degraded root-gone during=activate; fi
      if [ "$1" = activated ]; then fail root-gone; fi
      root_answer=gone
      return
    fi
    if [ "$root_naps" -lt 100 ]; then sleep 0.1; else sleep 0.5; fi
  done
  read -r root_answer <"$dir/$1"
}
