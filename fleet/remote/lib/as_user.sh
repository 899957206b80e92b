# shellcheck shell=sh
# as_user.sh: lets the root half read what is the login user's, and run commands for the login user,
# without the rights of root.
#
# uses: git_command has limit
# inputs: login_user

# find_as_user sets $as_user to the words before a command of the login user. git runs with them,
# too.
find_as_user() {
  if [ "$login_user" = root ]; then
    as_user=''
  elif [ -z "$sysroot" ] && has setpriv; then
    # Unlike sudo, it writes nothing to the system's log. env sets the PATH that it has reset.
    as_user="setpriv --reuid=$login_user --regid=$(id -g "$login_user") --init-groups --reset-env env PATH=$PATH"
  else
    as_user="$wrappers/sudo"
    if [ ! -x "$as_user" ]; then as_user=$sysroot/usr/bin/sudo; fi
    as_user="$as_user -n -u $login_user -H --"
  fi
  git_command="$as_user $git_command"
}

# read_as_user FILE prints a small file. Whatever the user has put in its place, it is read without
# the rights of root, and for a few seconds at most.
read_as_user() {
  # shellcheck disable=SC2086 # several words
  limit 10 $as_user head -c 4096 "$1" 2>/dev/null </dev/null || :
}
