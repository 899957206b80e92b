# shellcheck shell=sh
# switch_command.sh: runs the user's own command in the checkout instead of building and activating.
#
# uses: changes command current degraded fact fail gate hooks previous step
# inputs: switch_command

# run_switch_command ARGUMENT... takes the arguments of the script.
run_switch_command() {
  pass_gate
  report_previous
  before_switch "$@"
  start_step activate
  cd "$checkout" || fail no-repo "repo=$checkout" why=no-entry
  activation_status=0
  write_command "$switch_command"
  sh "$dir/command" 2>&1 </dev/null || activation_status=$?
  fact activation-status "$activation_status"
  built=$(current) selected=$built
  if [ "$activation_status" != 0 ]; then
    [ "$built" != "$from" ] || fail switch-command "exit=$activation_status"
    degraded switch-command "exit=$activation_status"
  fi
  activated=yes
  if [ "$built" = "$from" ]; then
    activated=no
    fact activated no
  fi
  if [ "$activated" = yes ]; then compare_meanwhile; fi
  finish_step
  after_switch
}
