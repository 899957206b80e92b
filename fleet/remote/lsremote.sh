# shellcheck shell=sh
# lsremote.sh: prints the commit at the tip of the branch, for an operator whose own git cannot
# reach the remote.
#
# uses: checkout git_within origin refuse reply
# inputs: branch managed remote

main() {
  take "$@"
  find_checkout
  [ -d "$checkout" ] || checkout=/
  if [ "$managed" = yes ]; then
    from=$remote
  else
    find_origin
    from=$origin
  fi
  tip=$(git_within 20 ls-remote "$from" "refs/heads/$branch" </dev/null) || refuse fetch
  [ -n "$tip" ] || refuse no-branch
  reply tip "$(printf '%s\n' "$tip" | head -n 1 | cut -f 1)"
}
