# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154
# tell.sh: a word of the operator's to a job: go, present, confirm or back. To confirm takes a login that is newer than the activation.

main() {
  take "$@"
  this_boot=$(boot)
  dir=$jobs/$id
  if [ ! -e "$dir/began" ]; then
    answer absent
    return
  fi
  [ ! -e "$dir/result" ] || refuse finished
  if [ "$word" = confirm ]; then new_login || refuse old-login; fi
  : >"$dir/$word"
  answer told
}

# new_login: this connection is none that the job was begun or followed over, and its server process is younger than the activation.
new_login() {
  read -r _ activated_at <"$dir/activated" || return 1
  if [ -n "${SSH_CONNECTION:-}" ] && grep -qxF "$SSH_CONNECTION" "$dir/connections" 2>/dev/null; then return 1; fi
  case $(ps -p "$PPID" -o comm= 2>/dev/null) in
    *sshd*)
      age=$(ps -p "$PPID" -o etime= | awk -F '[-:]' '{ for (i = 1; i <= NF; i++) s = s * (NF == 4 && i == 2 ? 24 : i > 1 ? 60 : 1) + $i; print s }')
      [ "$age" -le $(($(date +%s) - activated_at + 1)) ] ;;
  esac
}
