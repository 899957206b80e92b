# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154
# await.sh: waiting for a word of the operator's, and deciding without one. Words are files in the job's directory that tell.sh makes.

# await SECONDS NAME...: waits until one of the files is there, and sets $word to its name; to nothing when time is over.
await() {
  clock
  await_until=$((now + $1))
  shift
  await_naps=0
  while :; do
    for word in "$@"; do
      if [ -e "$dir/$word" ]; then return; fi
    done
    await_naps=$((await_naps + 1))
    if [ "$await_naps" -le 100 ]; then sleep 0.1; else sleep 1; fi
    if [ $((await_naps % 10)) = 0 ]; then
      clock
      if [ "$now" -ge "$await_until" ]; then
        word=''
        return
      fi
    fi
  done
}

# decide sets $verdict to who keeps the new configuration (operator, host, none), or to "back CODE" where nobody does.
decide() {
  case $confirm in
    operator) await "$confirm_seconds" confirm back ;;
    *) word='' ;;
  esac
  case $confirm:$word in
    none:*) verdict=none ;;
    *:confirm) verdict=operator ;;
    *:back) verdict='back back' ;;
    *)
      # Somebody who is there and does not confirm cannot. Nobody there is no reason to undo a healthy host.
      if [ -e "$dir/present" ]; then
        verdict='back unconfirmed'
      elif still_answers; then
        verdict=host
      else
        verdict='back silent'
      fi
      ;;
  esac
}

# look_around NAME notes what answers before the activation: it must still do so after, where the host decides alone. The name is for
# the look's own notes, until they are whole.
look_around() {
  [ "$confirm" != none ] || return 0 # the host will have nothing to decide
  notes=$dir/answered.$1
  : >"$notes"
  for address in $(addresses); do
    if ssh_answers "$address"; then echo "ssh $address" >>"$notes"; fi
  done
  if remote_answers; then echo "remote $pull_from" >>"$notes"; fi
  mv -f "$notes" "$dir/answered"
}

still_answers() {
  while read -r what which; do
    tries=0
    until answers; do
      tries=$((tries + 1))
      if [ "$tries" = 4 ]; then
        printf 'fleetctl: %s does not answer any more: %s\n' "$what" "$which"
        return 1
      fi
      sleep 1 # a service may take a moment to be back
    done
  done <"$dir/answered"
}

answers() {
  case $what in
    ssh) ssh_answers "$which" ;;
    remote) remote_answers ;;
  esac
}

# addresses prints the one that the operator came in by, and the host's others, but for those that nobody else can reach.
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
  } | grep . | sort -u | head -n 8
}

# ssh_answers ADDRESS: whether an SSH server shows a key there, at the port that the operator came in by.
ssh_answers() {
  has ssh-keyscan || return 1
  # One kind of key at a time: each costs the server a handshake, and nearly every server has the first.
  for key_kind in ed25519 ecdsa rsa; do
    if [ -n "$(ssh-keyscan -T 5 -t "$key_kind" -p "$ssh_port" "$1" 2>/dev/null </dev/null)" ]; then return; fi
  done
  return 1
}

# remote_answers: whether the login user's git still reaches the configuration. $as_user is how the root half becomes that user.
remote_answers() {
  [ -n "$pull_from" ] || return 1
  # shellcheck disable=SC2086
  limit 20 $as_user env GIT_TERMINAL_PROMPT=0 SSH_ASKPASS_REQUIRE=never git -C "$repo" ls-remote -q "$pull_from" HEAD \
    >/dev/null 2>&1 </dev/null
}
