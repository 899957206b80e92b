# shellcheck shell=sh
# attach.sh: prints the log of a job that was started before.
#
# uses: answer boot_id follow state
# inputs: id

main() {
  take "$@"
  read_boot_id
  dir=$state/jobs/$id
  if [ ! -e "$dir/began" ]; then
    answer absent
    return
  fi
  read -r kind <"$dir/kind"
  follow
}
