# shellcheck shell=sh
# find_sudo.sh: finds sudo.

# find_sudo sets $sudo to the path of sudo, or fails. It looks only where root installs programs: a
# program of that name elsewhere in the user's PATH could be there to get the password.
find_sudo() {
  for sudo in "$wrappers/sudo" "$sysroot/usr/bin/sudo"; do
    if [ -x "$sudo" ]; then return; fi
  done
  sudo=''
  return 1
}
