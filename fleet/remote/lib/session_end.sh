# shellcheck shell=sh
# session_end.sh: finds out what logind does to a job whose login ends.
#
# uses: has

# ends_with_session reports whether logind kills this process when its login ends: see
# KillUserProcesses in logind.conf(5).
ends_with_session() {
  [ -d "$sysroot/run/systemd/system" ] && has busctl || return 1
  case $(cat "$sysroot/proc/self/cgroup" 2>/dev/null) in
    */session-*) ;;
    *) return 1 ;;
  esac
  case $(busctl get-property org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager \
    KillUserProcesses KillExcludeUsers 2>/dev/null) in
    *"\"$user\""*) return 1 ;;
    'b true'*) ;;
    *) return 1 ;;
  esac
}
