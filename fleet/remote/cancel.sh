# shellcheck shell=sh
# cancel.sh: ends a job that has not started to activate.
#
# uses: boot_id kill_job refuse reply state
# inputs: id

main() {
  take "$@"
  read_boot_id
  dir=$state/jobs/$id
  if [ ! -d "$dir" ]; then
    reply absent
    return
  fi
  kill_job || refuse "$obstacle"
  reply cancelled
}
