# shellcheck shell=sh
# attach.sh: prints the log of a job that was started before.
#
# uses: boot_id follow reply state
# inputs: id

main() {
  take "$@"
  read_boot_id
  dir=$state/jobs/$id
  if [ ! -e "$dir/began" ]; then
    reply absent
    return
  fi
  read -r kind <"$dir/kind"
  follow
}
