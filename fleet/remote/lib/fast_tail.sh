# shellcheck shell=sh
# fast_tail.sh: follows a file that grows.
#
# On a file system that does not report changes (overlayfs), and of its standard input, tail polls
# once a second. GNU's can poll more often.

tail=''

# find_tail sets $tail to the words that run tail.
find_tail() {
  if [ -n "$tail" ]; then return; fi
  tail='tail'
  if tail -s 0.1 /dev/null >/dev/null 2>&1; then tail='tail -s 0.1'; fi
}
