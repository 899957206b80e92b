# shellcheck shell=sh
# get_revision.sh: gets the commit of the run, and checks whether this host may deploy it. The host
# finds out on its own: whatever the operator believes about the branch, an unreviewed commit does
# not get past it.
#
# uses: check_signature fetch git git_reason
# inputs: branch pull_seconds ref rev

# get_revision fails unless the commit is on the fleet's branch, or is what --rev named, and unless
# it has the signature that the fleet requires. It sets $on_branch to yes or no. The script that
# uses it defines fetch_revision, which fetches the branch and $ref, and fetch_commit. $tip names
# the commit that the branch is at.
get_revision() {
  tip=refs/remotes/$origin/$branch
  read_running
  find_on_branch
  if [ $on_branch = no ] || ! knows_running; then
    fetch_revision
    if [ -n "$ref" ] && [ $fetch_status = 0 ] && ! has_commit "$rev"; then
      # Most servers let a commit be fetched that no branch or tag names.
      fetch_commit
      fetch_status=0
    fi
    has_commit "$rev" || fail_fetch
    find_on_branch
  fi
  if [ -z "$ref" ]; then
    [ $on_branch = yes ] || fail_fetch
    if would_downgrade; then fail downgrade "rev=$rev" "runs=$running" "branch=$branch"; fi
  fi
  check_signature "$rev"
}

# find_on_branch sets $on_branch to whether the commit is known to be on the fleet's branch.
find_on_branch() { if is_ancestor "$rev" "$tip"; then on_branch=yes; else on_branch=no; fi; }

has_commit() { git_ cat-file -e "$1^{commit}" 2>/dev/null; }

is_ancestor() { git_ merge-base --is-ancestor "$1" "$2" 2>/dev/null; }

# read_running sets $running to the commit that the host runs, as a hash, or to nothing. A system
# built from uncommitted changes has the suffix -dirty.
read_running() {
  running=${runs%-dirty}
  case $running in
    *[!0-9a-f]*) running='' ;;
  esac
}

knows_running() { [ -z "$running" ] || has_commit "$running"; }

# would_downgrade reports whether the host runs a later commit of the branch. If what it runs is not
# on the branch, the host returns to it.
would_downgrade() {
  [ -n "$running" ] && [ "$running" != "$rev" ] && is_ancestor "$rev" "$running" && is_ancestor "$running" "$tip"
}

# find_base sets $base to the commit of the user's branch, which a trial has left.
find_base() {
  base=$head
  if [ -n "$trial" ]; then base=$(git_ rev-parse -q --verify "refs/heads/$branch") || base=$head; fi
}

# fail_fetch reports why the commit cannot be had.
fail_fetch() {
  url=$(git_ remote get-url "$origin" 2>/dev/null) || url=$origin
  find_git_reason
  wanted=${ref:-$branch}
  wanted=${wanted#refs/heads/}
  case $fetch_status in
    0)
      if has_commit "$rev"; then fail off-branch "url=$url" "rev=$rev" "branch=$branch"; fi
      fail no-revision "url=$url" "rev=$rev" "branch=$wanted"
      ;;
    124) fail timeout "url=$url" "seconds=$pull_seconds" ;;
    *) fail fetch "exit=$fetch_status" "url=$url" "branch=$wanted" "user=$user" "reason=$git_reason" "text=$(head -c 2000 "$dir/git")" ;;
  esac
}
