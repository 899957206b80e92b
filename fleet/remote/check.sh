# shellcheck shell=sh
# check.sh: runs the preflight without a job, and checks what a launch would. It prints a log like
# that of a job.
#
# uses: answer boot_id describe_job ending fail holder linger mark nonce notice preflight
# uses: session_end sudo
# inputs: kind switch_command

main() {
  take "$@"
  read_boot_id
  draw_nonce
  answer following "$nonce" 0
  step=preflight
  mark step preflight start
  preflight
  mark step preflight ok
  if find_holder; then
    # shellcheck disable=SC2046 # several words
    fail locked $(describe_job "$holder")
  fi
  check_root
  finish unchanged -
}

check_root() {
  if [ "$(id -u)" = 0 ]; then return; fi
  if [ "$kind" = home ] || [ -n "$switch_command" ]; then
    # Otherwise root starts the job.
    if ! lingers && ends_with_session; then notice warn login-end "user=$user"; fi
    return
  fi
  find_root_program || fail no-sudo "with=$root_by"
  prompt=''
  as_root /bin/sh -c :
  [ $root_status != 0 ] || return 0
  case $root_program in
    */doas | */run0) fail no-root "with=${root_program##*/}" "user=$user" "text=$root_output" ;;
  esac
  notice warn sudo-password "text=$root_output"
}

# finish OUTCOME CODE [KEY=VALUE...] ends the check.
finish() {
  compose_ending "$@"
  mark end "$ending"
  exit 0
}
