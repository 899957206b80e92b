# shellcheck shell=sh
# detach.sh: starts what must outlive the session.
#
# uses: has

# detach prints the words to put before a command so that it leads a session and a process group of
# its own. macOS has no setsid.
detach() {
  if has setsid; then
    echo setsid
  elif has perl; then
    echo 'perl -MPOSIX -e setsid;exec@ARGV'
  fi
}
