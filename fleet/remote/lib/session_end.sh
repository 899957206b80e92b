# shellcheck shell=sh
# session_end.sh: finds out what logind does to a job whose login ends.
#
# uses: has linger

# ends_with_session reports whether logind kills this process when its login ends: see
# KillUserProcesses in logind.conf(5). The terminals of a desktop belong to the user's manager,
# which ends with the user's last login unless the user lingers.
ends_with_session() {
  [ -d "$sysroot/run/systemd/system" ] && has busctl || return 1
  case $(cat "$sysroot/proc/self/cgroup" 2>/dev/null) in
    */session-*) ;;
    */user@*.service/*)
      if lingers; then return 1; fi
      return 0
      ;;
    *) return 1 ;;
  esac
  case $(busctl get-property org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager \
    KillUserProcesses KillExcludeUsers 2>/dev/null) in
    *"\"$user\""*) return 1 ;;
    'b true'*) ;;
    *) return 1 ;;
  esac
}
