# shellcheck shell=sh
# ssh_answers.sh: checks whether an SSH server answers. The script that uses it sets $ssh_port.
#
# uses: has

# Words before a command, with which root runs it as the login user.
as_user=''

# ssh_answers ADDRESS reports whether an SSH server shows a host key there.
ssh_answers() {
  has ssh-keyscan || return 1
  # One type at a time: each costs the server a handshake, and nearly every server has the first.
  for key_type in ed25519 ecdsa rsa; do
    # shellcheck disable=SC2086 # several words
    if [ -n "$($as_user ssh-keyscan -T 5 -t "$key_type" -p "$ssh_port" "$1" 2>/dev/null </dev/null)" ]; then return; fi
  done
  return 1
}
