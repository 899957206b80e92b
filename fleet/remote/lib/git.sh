# shellcheck shell=sh
# git.sh: runs git.
#
# uses: git_settings

# git_ ARG... runs git in the checkout, without the process that env would be.
git_() { eval "$git_settings"' git -C "$checkout" "$@"'; }
