# shellcheck shell=sh
# nonce.sh: makes the word by which markers are recognized.

# draw_nonce sets $nonce to 32 hex digits that no build can guess.
draw_nonce() {
  # shellcheck disable=SC2046 # the four words become the parameters
  set -- $(od -An -N16 -tx4 /dev/urandom)
  nonce=$1$2$3$4
}
