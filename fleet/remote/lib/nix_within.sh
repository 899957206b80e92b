# shellcheck shell=sh
# nix_within.sh: runs nix with a time limit.
#
# uses: limit

# nix_within SECONDS ARG... runs nix. Its exit status is 124 if it took longer.
nix_within() {
  nix_seconds=$1
  shift
  limit "$nix_seconds" nix --extra-experimental-features 'nix-command flakes' "$@"
}
