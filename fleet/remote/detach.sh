# shellcheck shell=sh
# detach.sh: how to start what must outlive this session.

# detach prints the words to put before a command, so that it leads a session and a process group of its own. macOS has no setsid.
detach() {
  if command -v setsid >/dev/null 2>&1; then
    echo setsid
  elif command -v perl >/dev/null 2>&1; then
    echo 'perl -MPOSIX -e setsid;exec@ARGV'
  fi
}
