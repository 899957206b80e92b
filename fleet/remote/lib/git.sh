# shellcheck shell=sh
# git.sh: runs git.
#
# uses: git_command

# git_ ARG... runs git in the checkout.
git_() {
  # shellcheck disable=SC2086 # several words
  $git_command -C "$checkout" "$@"
}
