# shellcheck shell=sh
# git_within.sh: runs git with a time limit.
#
# uses: git_command limit

# git_within SECONDS ARG... runs git in the checkout. Its exit status is 124 if git took longer.
git_within() {
  git_seconds=$1
  shift
  # shellcheck disable=SC2086 # several words
  limit "$git_seconds" $git_command -C "$checkout" "$@"
}
