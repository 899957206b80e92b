# shellcheck shell=sh
# confirm.sh: the end of an activation. The host keeps the new configuration if the operator
# confirms it over a new login, or if the host itself does because no operator is present. Otherwise
# what ran before runs again.
#
# uses: await_root decide degraded fact generation home mark real_path revision step
# inputs: confirm_seconds goal kind switch_command

confirm() {
  if [ "$activated" = no ] || [ -n "$switch_command" ]; then return; fi
  start_step confirm
  if [ "$kind" = home ]; then
    confirm_home
  else
    await_root concluded
    verdict=$root_answer
  fi
  case $verdict in
    kept*)
      fact confirmed "${verdict#kept }"
      if [ "$goal" != test ] && [ "$(real_path "$profile")" != "$built" ]; then degraded not-default; fi
      fact generation "$(generation "$profile")"
      finish_step
      ;;
    back*)
      mark step confirm failed
      find_revision "$(current_link)"
      fact after "$revision"
      finish rolled-back "${verdict#back }" "seconds=$confirm_seconds"
      ;;
    *) degraded root-gone ;;
  esac
}

confirm_home() {
  decide
  case $verdict in
    back*) roll_back_home ;;
    *) keep_home || degraded not-default ;;
  esac
}
