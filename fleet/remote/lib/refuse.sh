# shellcheck shell=sh
# refuse.sh: ends the session before anything was started.
#
# uses: encode reply

# refuse CODE [KEY=VALUE...] prints the header that reports why nothing was started, and exits.
refuse() {
  refusal=$1
  shift
  encode "$@"
  reply "refused $refusal$fields"
  exit 0
}
