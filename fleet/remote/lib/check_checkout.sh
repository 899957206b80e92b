# shellcheck shell=sh
# check_checkout.sh: checks whether a deploy can use the user's own checkout.
#
# uses: git trial
# inputs: branch managed rev

# check_checkout fails if the checkout is missing, has no commit or changes, or is on another
# branch. It sets $head to its commit, and $trial to what --rev has brought it to, or to nothing.
check_checkout() {
  [ -d "$checkout" ] || fail no-repo "repo=$checkout" why=missing
  git_status=$(git_ status --porcelain=v2 --branch --untracked-files=no) ||
    fail no-repo "repo=$checkout" why=not-a-checkout "user=$user" "text=$(git_ status 2>&1 >/dev/null | head -n 1)"
  read_git_status <<STATUS
$git_status
STATUS
  [ -n "$head" ] || fail no-repo "repo=$checkout" why=no-commit
  trial=''
  if [ -z "$current_branch" ]; then find_trial "$head"; fi
  [ -z "$rev" ] || [ "$current_branch" = "$branch" ] || [ -n "$trial" ] ||
    fail wrong-branch "repo=$checkout" "on=$current_branch" "branch=$branch"
  [ "$changes" = 0 ] || fail dirty "repo=$checkout" "changes=$changes" "files=$changed_files"
}

# read_git_status reads the output of git status. It sets $head, $current_branch (empty on no
# branch), $changes to the number of changed files and $changed_files to the first five.
read_git_status() {
  head='' current_branch='' changed_files='' changes=0
  while read -r mark key rest; do
    case "$mark $key" in
      '# branch.oid') [ "$rest" = "(initial)" ] || head=$rest ;;
      '# branch.head') [ "$rest" = "(detached)" ] || current_branch=$rest ;;
      '# '*) ;;
      *) add_changed_file "$mark" ;;
    esac
  done
}

# add_changed_file MARK adds the path in $rest. It comes after as many fields as git-status(1) lists
# for that kind of line.
add_changed_file() {
  changes=$((changes + 1))
  [ "$changes" -le 5 ] || return 0
  case $1 in
    2) skip=7 ;;
    u) skip=8 ;;
    *) skip=6 ;;
  esac
  while [ "$skip" -gt 0 ]; do
    rest=${rest#* }
    skip=$((skip - 1))
  done
  changed_files="${changed_files:+$changed_files, }${rest%%	*}"
}
