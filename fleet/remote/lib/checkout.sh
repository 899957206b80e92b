# shellcheck shell=sh
# checkout.sh: finds the checkout of the configuration.
#
# uses: state
# inputs: managed remote repo

# find_checkout sets $checkout to the user's own checkout, or to the clone that fleetctl keeps.
find_checkout() {
  if [ "$managed" = yes ]; then
    checkout=$state/repos/$(printf '%s' "$remote" | cksum | cut -d' ' -f1)
    return
  fi
  case $repo in
    \~/*) checkout=$HOME/${repo#??} ;;
    *) checkout=$repo ;;
  esac
}
