# shellcheck shell=sh
# notice.sh: reports what the operator should read in the log.
#
# uses: encode mark

# notice note|warn CODE [KEY=VALUE...] reports a note or a warning.
notice() {
  notice="$1 code=$2"
  shift 2
  encode "$@"
  mark "$notice$fields"
}
