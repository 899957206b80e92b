# shellcheck shell=sh
# generation.sh: finds the generations of a profile.

# generation LINK prints the number of the generation that the link points to.
generation() {
  link_target=$(readlink "$1" 2>/dev/null) || return 0
  case $link_target in
    *-[0-9]*-link) link_target=${link_target%-link} && echo "${link_target##*-}" ;;
  esac
}
