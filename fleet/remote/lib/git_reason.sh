# shellcheck shell=sh
# git_reason.sh: finds out why git failed.

# find_git_reason sets $git_reason to the message that explains best what git has written to
# $dir/git, or to nothing.
find_git_reason() {
  git_reason=$(sed -n '/^fatal: /{s///p;q;}' "$dir/git")
  if [ -z "$git_reason" ]; then git_reason=$(sed -n '/^error: /{s///p;q;}' "$dir/git"); fi
}
