# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154
# job.sh: the job. Detached from the session that began it, it carries the steps out one after the other; its standard output is
# the log. It is given its directory and the NAME=VALUE arguments of launch.

main() {
  dir=$1
  shift
  take "$@"
  read -r nonce <"$dir/nonce"
  know_boot
  step=- wrong='' reboot='' activated=no pulled=no
  put pid "$$ $this_boot"
  : >"$dir/began"
  trap broke_off EXIT
  trap terminated TERM

  preflight
  choose_profile
  if [ "$goal" = rollback ] || [ "$to" != 0 ]; then choose_generation; else prepare; fi
  if [ -z "$switch_command" ]; then activate; fi
  verify "$@"
  confirm
  settle_revision
  conclude
}

# prepare pulls, and builds what is to be activated. The goals that want no more than that end here.
prepare() {
  pull
  if [ "$goal" = pull ]; then
    if [ "$pulled" = no ]; then finish unchanged - "the checkout was up to date"; else finish pulled - "the checkout is at the revision"; fi
  fi
  if [ -n "$switch_command" ]; then
    run_switch_command
    return
  fi
  if [ "$goal" != build ]; then look_meanwhile; fi
  build
  if [ "$goal" = build ]; then
    if [ "$built" = "$from" ]; then finish unchanged - "already runs"; else finish built - "built, not activated"; fi
  fi
}

# broke_off: a command failed that nobody thought could.
broke_off() {
  if [ "$activated" = yes ]; then finish degraded internal "switched, but the job's script broke off during $step"; fi
  fail internal "the job's script broke off during $step"
}

# terminated: by a cancel, or from outside; then the next contact settles it.
terminated() {
  if [ "$(readlink "$dir/gate" 2>/dev/null)" = cancel ]; then finish cancelled cancelled "cancelled during $step"; fi
  trap - EXIT
  exit 143
}

conclude() {
  if [ -n "$wrong" ]; then finish degraded "${wrong%% *}" "${wrong#* }"; fi
  if [ -n "$reboot" ]; then finish reboot-needed reboot "$reboot"; fi
  if [ "$activated" = no ]; then finish unchanged - "already runs"; fi
  if [ "$goal" = boot ]; then finish reboot-needed reboot "the new configuration starts at the next boot"; fi
  finish switched - "runs the new configuration"
}
