# shellcheck shell=sh
# answering.sh: checks whether the host can be reached, and can reach its configuration. The script
# that uses it sets $ssh_port, and $pull_from to the remote of the checkout or to nothing.
#
# uses: git_within ssh_answers

# remote_answers reports whether the login user's git can reach the remote.
remote_answers() {
  [ -n "$pull_from" ] || return 1
  git_within 20 ls-remote -q "$pull_from" HEAD >/dev/null 2>&1 </dev/null
}
