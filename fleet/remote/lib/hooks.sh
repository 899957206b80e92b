# shellcheck shell=sh
# hooks.sh: runs the user's commands around a switch, as the login user.
#
# uses: clock degraded fail limit notice step
# inputs: after_switch... before_switch... goal hook_seconds

# before_switch ARGUMENT... takes the arguments of the script. It runs the commands before a switch.
# If one fails, the job fails, and nothing is activated.
before_switch() {
  if [ "$goal" = boot ]; then return; fi # nothing is switched
  before_count=0 after_count=0
  for argument in "$@"; do
    case $argument in
      before_switch=*)
        before_count=$((before_count + 1))
        write_hook "before.$before_count" "${argument#*=}"
        ;;
      after_switch=*)
        after_count=$((after_count + 1))
        write_hook "after.$after_count" "${argument#*=}"
        ;;
    esac
  done
  hooked=yes
  [ "$before_count" != 0 ] || return 0
  start_step before
  if ! run_hooks before; then
    fail before-switch "exit=$hook_status" "seconds=$hook_seconds" "command=$(head -c 300 "$hook")"
  fi
  finish_step
}

# write_hook NAME TEXT writes a script. Arguments of processes could be read by other users.
write_hook() { (umask 077 && printf '%s\n' "$2" >"$dir/$1"); }

# after_switch runs the commands after a switch. If one fails, the host is degraded, and the others
# run nevertheless.
after_switch() {
  switched_as=switched
  if [ "$deferred" = yes ]; then switched_as='reboot-needed'; fi
  if [ -n "$problem" ]; then switched_as=degraded; fi
  run_after_switch "$switched_as" || degraded after-switch "exit=$hook_status" "seconds=$hook_seconds" "command=$hook_text"
}

# after_failure OUTCOME runs the commands after a switch that ended otherwise, or did not begin:
# what the commands before it have done has to be undone.
after_failure() {
  run_after_switch "$1" || notice warn after-switch "exit=$hook_status" "seconds=$hook_seconds" "command=$hook_text"
}

# run_after_switch OUTCOME runs the commands after a switch, once per job.
run_after_switch() {
  [ "$hooked" = yes ] || return 0
  hooked=no
  [ "$after_count" != 0 ] || return 0
  start_step after
  export FLEETCTL_OUTCOME="$1"
  if run_hooks after; then
    finish_step
    return
  fi
  hook_text=$(head -c 300 "$hook")
  mark step after failed
  return 1
}

# run_hooks before|after runs commands, and stops at the first before that fails. It sets $hook to
# the script of the first command that failed and $hook_status to its exit status.
run_hooks() {
  read_clock
  hooks_end=$((now + hook_seconds)) hook_number=0 hooks_status=0
  while :; do
    hook_number=$((hook_number + 1))
    [ -e "$dir/$1.$hook_number" ] || break
    read_clock
    hook_left=$((hooks_end - now))
    [ $hook_left -ge 1 ] || hook_left=1
    this_status=0
    limit $hook_left sh "$dir/$1.$hook_number" 2>&1 </dev/null || this_status=$?
    if [ $this_status = 0 ] || [ $hooks_status != 0 ]; then continue; fi
    hook=$dir/$1.$hook_number hook_status=$this_status hooks_status=1
    if [ "$1" = before ]; then break; fi
  done
  return $hooks_status
}
