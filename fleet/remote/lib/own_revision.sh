# shellcheck shell=sh
# own_revision.sh: reads the commit that a system itself reports.
#
# inputs: kind

# own_revision LINK sets $revision to the commit that the system reports, or to nothing.
own_revision() {
  case $kind in
    nixos) version=$("$1/sw/bin/nixos-version" --json 2>/dev/null) || version='' ;;
    darwin) version=$(cat "$1/darwin-version.json" 2>/dev/null) || version='' ;;
    *) version='' ;;
  esac
  json_string configurationRevision "$version"
  revision=$string
}

# json_string KEY JSON sets $string to the string of that name in flat JSON, or to nothing.
json_string() {
  string=''
  case $2 in
    *"\"$1\""*) ;;
    *) return 0 ;;
  esac
  string=${2#*"\"$1\""}
  string=${string#*\"}
  string=${string%%\"*}
}
