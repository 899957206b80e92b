# shellcheck shell=sh
# signal.sh: gives a job a signal of the operator: go, present, confirm, back, or path, which has a
# value. To confirm takes a login that is newer than the activation.
#
# uses: clock put refuse reply root_dir state
# inputs: id value word

main() {
  take "$@"
  dir=$state/jobs/$id
  if [ ! -e "$dir/began" ]; then
    reply absent
    return
  fi
  [ ! -e "$dir/result" ] || refuse finished
  if [ "$word" = confirm ]; then new_login || refuse old-login; fi
  if [ -n "$value" ]; then put "$dir/$word" "$value"; else : >"$dir/$word"; fi
  reply told
}

# new_login reports whether the job was not started or followed over this connection, and the server
# process of the connection is younger than the activation.
new_login() {
  find_root_dir
  read -r _ activated_at 2>/dev/null <"$root_dir/activated" || return 1
  if [ -n "${SSH_CONNECTION:-}" ] && grep -qxF "$SSH_CONNECTION" "$dir/connections" 2>/dev/null; then return 1; fi
  age=$(ps -p "$PPID" -o etime= -o comm= 2>/dev/null | awk '/sshd/ {
    n = split($1, t, /[-:]/)
    for (i = 1; i <= n; i++) s = s * (n == 4 && i == 2 ? 24 : i > 1 ? 60 : 1) + t[i]
    print s
  }')
  read_clock
  [ -z "$age" ] || [ "$age" -le $((now - activated_at + 1)) ]
}
