# shellcheck shell=sh
# log_size.sh: notes where the output of an activation starts.

# find_log_size sets $log_size to the size of the log in bytes. In the root half, $own_log is its
# own.
find_log_size() {
  log_size=$(wc -c <"${own_log:-$dir/log}")
  log_size=$((log_size))
}
