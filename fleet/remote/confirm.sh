# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154
# confirm.sh: the end of an activation. The new configuration stays where the operator confirms it over a new login, or the host itself
# where nobody is there; else what ran before runs again.

confirm() {
  if [ "$activated" = no ] || [ -n "$switch_command" ]; then return; fi
  begin confirm
  if [ "$kind" = home ]; then confirm_home; else root_says concluded; fi
  case $said in
    kept*)
      fact confirmed "${said#kept }"
      if [ "$goal" != test ] && [ "$(there "$profile")" != "$built" ]; then
        degraded not-default "switched, but the profile is not what was built: the next boot would start something else"
      fi
      fact generation "$(generation "$profile")"
      done_with confirm
      ;;
    back*)
      mark step confirm failed
      know_revision
      fact after "$revision"
      finish rolled-back "${said#back }" "$(why_back "${said#back }"); the configuration from before runs again"
      ;;
    *) degraded root-gone "switched, but the process that was to see it confirmed is gone" ;;
  esac
}

why_back() {
  case $1 in
    unconfirmed) echo "the operator could not log in anew within $confirm_seconds s" ;;
    silent) echo "nobody confirmed, and the host does not answer as it did before" ;;
    back) echo "it was asked to go back" ;;
    *) echo "$1" ;;
  esac
}

confirm_home() {
  decide
  case $verdict in
    back*)
      go_back_home
      said=$verdict
      ;;
    *)
      said="kept $verdict"
      keep_home || degraded not-default "switched, but the profile could not be set"
      ;;
  esac
}

