# shellcheck shell=sh
# clock.sh: measures time.

# read_clock sets $now to seconds. If the host has a clock that cannot be set, it reads that one: a
# switch may well set the other.
read_clock() {
  if read -r now _ 2>/dev/null </proc/uptime; then now=${now%%.*}; else now=$(date +%s); fi
}
