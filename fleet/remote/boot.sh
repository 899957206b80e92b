# shellcheck shell=sh
# boot.sh: prints the ID of the current boot.
#
# uses: answer boot_id

main() {
  take "$@"
  read_boot_id
  answer booted "$boot_id"
}
