# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154
# tip.sh: the commit that the branch is at, as this host's git sees it, for an operator whose own git cannot.

main() {
  take "$@"
  find_repo
  if [ "$managed" = yes ]; then from=$remote; else from=origin; fi
  [ -d "$repo" ] || repo=/
  tip=$(limit 20 env GIT_TERMINAL_PROMPT=0 SSH_ASKPASS_REQUIRE=never git -C "$repo" ls-remote "$from" "refs/heads/$branch" </dev/null) || refuse fetch
  [ -n "$tip" ] || refuse no-branch
  answer tip "$(printf '%s\n' "$tip" | head -n 1 | cut -f 1)"
}
