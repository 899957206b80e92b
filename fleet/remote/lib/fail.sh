# shellcheck shell=sh
# fail.sh: ends a log with a failure. The script that uses it defines finish.
#
# uses: mark

# fail CODE [KEY=VALUE...] reports that the current step failed and that nothing changed.
fail() {
  mark step "$step" failed
  finish failed "$@"
}
