# shellcheck shell=sh
# root_lives.sh: checks for the root half of a job.
#
# uses: process root_dir

# root_lives reports whether the root half of job $id lives. If it was killed, systemd starts it
# again, which takes a moment.
root_lives() {
  find_root_dir
  for root_pause in 1 0; do
    root_pid=''
    read -r root_pid _ 2>/dev/null <"${root_dir%/*}/pid" || return 1
    if process_lives "$root_pid" "$boot_id" "$id"; then return; fi
    sleep "$root_pause"
  done
  return 1
}
