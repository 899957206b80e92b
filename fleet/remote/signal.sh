# shellcheck shell=sh
# signal.sh: gives a job a signal of the operator: go, present, confirm, back, or path, which has a
# value. To confirm takes a login that is newer than the activation.
#
# uses: clock put refuse reply root_dir ssh_answers state
# inputs: id value word

main() {
  take "$@"
  dir=$state/jobs/$id
  if [ ! -e "$dir/began" ]; then
    reply absent
    return
  fi
  [ ! -e "$dir/result" ] || refuse finished
  if [ "$word" = confirm ]; then
    new_login || refuse old-login
    if [ -z "${SSH_CONNECTION:-}" ]; then servers_answer || refuse silent; fi
  fi
  if [ -n "$value" ]; then put "$dir/$word" "$value"; else : >"$dir/$word"; fi
  reply told
}

# new_login reports whether the job was not started or followed over this connection, and the server
# process of the connection is younger than the activation.
new_login() {
  find_root_dir
  read -r _ activated_at 2>/dev/null <"$root_dir/activated" || return 1
  if [ -n "${SSH_CONNECTION:-}" ] && grep -qxF "$SSH_CONNECTION" "$dir/connections" 2>/dev/null; then return 1; fi
  # The age of another server does not count, and ps costs more than the rest of this script.
  if read -r server 2>/dev/null <"/proc/$PPID/comm"; then
    case $server in
      *sshd*) ;;
      *) return 0 ;;
    esac
  fi
  age=$(ps -p "$PPID" -o etime= -o comm= 2>/dev/null | awk '/sshd/ {
    n = split($1, t, /[-:]/)
    for (i = 1; i <= n; i++) s = s * (n == 4 && i == 2 ? 24 : i > 1 ? 60 : 1) + t[i]
    print s
  }')
  read_clock
  [ -z "$age" ] || [ "$age" -le $((now - activated_at + 1)) ]
}

# servers_answer reports whether each SSH server that answered before the activation does so now. An
# operator at the machine itself shows by logging in that the machine works, but not that anyone can
# still reach it.
servers_answer() {
  [ -e "$dir/answered" ] || return 0
  ssh_port=22 # which is where the survey of such a job looked
  while read -r service address; do
    case $service in
      ssh) ssh_answers "$address" || return 1 ;;
    esac
  done <"$dir/answered"
}
