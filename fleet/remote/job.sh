# shellcheck shell=sh
# job.sh: the job, which carries out one step after the other. launch.sh starts it detached from its
# session, and puts lines in front of it that set its parameters: its directory and NAME=VALUE
# arguments. Its standard output is the log.
#
# uses: activate boot_id build changes confirm ending hooks nix_setting notice preflight pull put
# uses: receive serve session_end slot switch_command unlock verify
# inputs: attended elsewhere goal id kind rev serves switch_command to

main() {
  dir=$1
  shift
  take "$@"
  read -r nonce <"$dir/nonce"
  read_boot_id
  # deferred is yes if only the next boot starts what was built, although the goal was to switch.
  step=- problem='' reboot='' activated=no deferred=no hooked=no comparer=''
  put "$dir/pid" "$$ $boot_id"
  : >"$dir/began"
  trap script_failed EXIT
  trap terminated TERM

  if [ -n "$serves" ]; then
    serve "$@"
    finish built -
  fi
  check_host
  find_profile
  if [ "$goal" = rollback ] || [ "$to" != 0 ]; then choose_generation; else prepare "$@"; fi
  if [ -z "$switch_command" ]; then activate "$@"; fi
  verify "$@"
  confirm
  report_revision
  conclude
}

# check_host runs the preflight and notes the state before the run.
check_host() {
  start_step preflight
  from=$(current)
  find_revision "$(current_link)"
  runs=$revision
  fact before "$runs"
  fact from "$from"
  preflight
  if ends_with_session; then notice warn login-end "user=$user"; fi
  failed_before=" $(failed_units)"
  if [ "$elsewhere" = yes ]; then fact system "$(nix_setting system)"; fi
  finish_step
}

# prepare ARGUMENT... pulls and builds what is to be activated, or gets it from another host. With
# the goals pull and build, the job ends here.
prepare() {
  if [ "$elsewhere" = yes ]; then
    if [ "$goal" != build ]; then survey_meanwhile; fi
    receive
    finish_build
    return
  fi
  # An operator who detaches takes the forwarded ssh-agent along.
  if [ "$attended" = no ] && [ -n "$rev" ] && [ -n "${SSH_AUTH_SOCK:-}" ]; then notice warn agent-leaves; fi
  pull
  if [ "$goal" = pull ]; then
    if [ "$pulled" = no ]; then finish unchanged -; else finish pulled -; fi
  fi
  if [ -n "$switch_command" ]; then
    run_switch_command "$@"
    return
  fi
  if [ "$goal" != build ]; then survey_meanwhile; fi
  build "$@"
  finish_build
}

# finish_build ends the job if the goal is only to build.
finish_build() {
  [ "$goal" = build ] || return 0
  if [ "$built" = "$from" ]; then finish unchanged -; else finish built -; fi
}

# script_failed ends the job because of a command that failed unexpectedly.
# shellcheck disable=SC2317 # a trap calls it
script_failed() {
  if [ "$activated" = yes ]; then finish degraded internal; fi
  fail internal
}

# terminated handles SIGTERM. If it was not sent by a cancel, the next session settles the job.
# shellcheck disable=SC2317 # a trap calls it
terminated() {
  if [ "$(readlink "$dir/gate" 2>/dev/null)" = cancel ]; then
    # A child that was forked just before the signal may have lost it: see limit.sh.
    trap '' TERM
    kill -TERM "-$$" 2>/dev/null || :
    finish cancelled cancelled
  fi
  trap - EXIT
  exit 143
}

conclude() {
  if [ -n "$problem" ]; then end_job "degraded $problem $step$problem_fields"; fi
  if [ -n "$reboot" ]; then finish reboot-needed reboot "after=$reboot"; fi
  if [ "$activated" = no ]; then finish unchanged -; fi
  if [ "$goal" = boot ]; then finish reboot-needed reboot after=goal; fi
  finish switched -
}

# finish OUTCOME CODE [KEY=VALUE...] ends the job.
finish() {
  compose_ending "$@"
  end_job "$ending"
}

# end_job ENDING ends the job. The host is free before anyone can read the end marker.
end_job() {
  trap - EXIT TERM
  after_failure "${1%% *}"
  report_changes || :
  put "$dir/result" "$1"
  unlock "$id"
  if [ -n "$serves" ]; then leave_slots; fi
  mark end "$1"
  exit 0
}
