# shellcheck shell=sh
# confirm.sh: the end of an activation. The host keeps the new configuration if the operator
# confirms it over a new login, or if the host itself does because no operator is present. Otherwise
# what ran before runs again.
#
# uses: await_root current decide degraded ending fact generation home mark real_path revision
# uses: rollback_ending step
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
      if [ "$deferred" = yes ] && [ "$(real_path "$profile")" != "$built" ]; then fail not-default; fi
      fact confirmed "${verdict#kept }"
      if [ "$goal" != test ] && [ "$(real_path "$profile")" != "$built" ]; then degraded not-default; fi
      fact generation "$(generation "$profile")"
      finish_step
      ;;
    back* | incomplete*) finish_rollback "seconds=$confirm_seconds" ;;
    *) degraded root-gone ;;
  esac
}

# finish_rollback [KEY=VALUE...] ends the job of a host that went back, or tried to.
finish_rollback() {
  mark step "$step" failed
  find_revision "$(current_link)"
  fact after "$revision"
  compose_rollback "$(current)" "$@"
  end_job "$ending"
}

confirm_home() {
  decide
  case $verdict in
    back*) roll_back_home "$built" ;;
    *) keep_home || degraded not-default ;;
  esac
}
