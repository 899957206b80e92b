# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154
# boot.sh: which boot is this?

main() {
  take "$@"
  know_boot
  answer booted "$this_boot"
}
