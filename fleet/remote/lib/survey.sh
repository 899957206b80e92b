# shellcheck shell=sh
# survey.sh: notes what answers before the activation. A host that has to decide without the
# operator checks whether it still does.
#
# uses: answering has notice origin put
# inputs: confirm elsewhere rev

# find_routes sets $ssh_port to the port that the operator came in by, and $pull_from to the remote
# of the checkout, or to nothing if this run does not use it.
find_routes() {
  ssh_port=${SSH_CONNECTION:-}
  ssh_port=${ssh_port##* }
  : "${ssh_port:=22}"
  pull_from=''
  if [ -n "$rev" ] && [ "$elsewhere" = no ]; then
    find_origin
    pull_from=$origin
  fi
}

# survey writes $dir/answered. $dir/surveying exists meanwhile.
survey() {
  [ "$confirm" != none ] || return 0
  : >"$dir/surveying"
  set --
  for address in $(addresses); do
    if ssh_answers "$address"; then set -- "$@" "ssh $address"; fi
  done
  # The host decides without the ssh-agent that the operator has forwarded.
  if (unset SSH_AUTH_SOCK && remote_answers); then
    set -- "$@" "remote $pull_from"
  elif [ -n "${SSH_AUTH_SOCK:-}" ] && remote_answers; then
    notice warn agent-only "url=$pull_from"
  fi
  put "$dir/answered" "$@"
  rm -f "$dir/surveying"
}

# addresses prints the address that the operator came in by and the other ones of the host that can
# be reached from elsewhere.
addresses() {
  {
    came_in_by=${SSH_CONNECTION:-} # CLIENT PORT SERVER PORT
    came_in_by=${came_in_by% *}
    echo "${came_in_by##* }"
    if has ip; then
      ip -o addr show scope global up 2>/dev/null | awk '{ sub("/.*", "", $4); print $4 }'
    elif has ifconfig; then
      ifconfig 2>/dev/null | awk '$1 == "inet" && $2 !~ /^127\./ { print $2 }'
    fi
  } | awk 'NF && !seen[$0]++ && ++count <= 8'
}
