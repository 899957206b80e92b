# shellcheck shell=sh
# preflight.sh: checks whether a deploy can start. It changes nothing.
#
# uses: check_disk check_name ready

preflight() {
  check_tools
  check_name
  check_repo
  check_disk
  check_busy
}
