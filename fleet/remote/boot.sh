# shellcheck shell=sh
# boot.sh: prints the ID of the current boot.
#
# uses: boot_id reply

main() {
  take "$@"
  read_boot_id
  reply booted "$boot_id"
}
