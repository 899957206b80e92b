# shellcheck shell=sh
# cancel.sh: ends a job that has not started to activate.
#
# uses: answer boot_id kill_job refuse state
# inputs: id

main() {
  take "$@"
  read_boot_id
  dir=$state/jobs/$id
  if [ ! -d "$dir" ]; then
    answer absent
    return
  fi
  kill_job || refuse "$obstacle"
  answer cancelled
}
