# shellcheck shell=sh
# ending.sh: composes the end of a log.
#
# uses: encode

# compose_ending OUTCOME CODE [KEY=VALUE...] sets $ending to the words of the end marker.
compose_ending() {
  ending="$1 $2 $step"
  shift 2
  encode "$@"
  ending=$ending$fields
}
