# shellcheck shell=sh
# current.sh: finds what the host runs.
#
# uses: home_profile real_path
# inputs: kind

# current_link prints the link to what the host runs.
current_link() {
  case $kind in
    home) home_profile ;;
    *) echo "$sysroot/run/current-system" ;;
  esac
}

# current prints the store path of what the host runs, or nothing.
current() { real_path "$(current_link)"; }
