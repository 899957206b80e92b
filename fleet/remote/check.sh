# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154
# check.sh: the preflight alone, with what a launch would find, and no job.

main() {
  take "$@"
  know_boot
  dir='' step=-
  draw_nonce
  answer following "$nonce" 0
  preflight
  if holder=$(readlink "$state/lock" 2>/dev/null) && alive "$holder"; then
    fail locked "another job is at work: $(whose "$holder")"
  fi
  if [ "$kind" != home ] && [ -z "$switch_command" ] && [ "$(id -u)" != 0 ]; then
    has sudo || fail no-sudo "there is no sudo on this host"
    LC_ALL=C sudo -n true 2>/dev/null || warn "sudo wants a password here: deploy asks for it"
  fi
  finish unchanged - "fit to be deployed"
}
