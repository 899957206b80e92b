# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154
# pull.sh: brings the checkout to the run's revision, as the login user, and never over anybody's work.

pull() {
  begin pull
  if [ "$managed" = yes ]; then
    pull_managed
  else
    pull_checkout
  fi
  done_with pull
}

pull_checkout() {
  [ -n "$head" ] || fail no-repo "the checkout \"$repo\" has no commit"
  if [ -z "$rev" ]; then
    fact pull "left at $head"
    return
  fi
  if [ "$head" = "$rev" ]; then
    fact pull "up to date"
    return
  fi
  origin=$(git_ config "branch.$branch.remote") || origin=origin
  git_ cat-file -e "$rev^{commit}" 2>/dev/null || fetch "$origin" "+refs/heads/$branch:refs/remotes/$origin/$branch"
  if git_ merge-base --is-ancestor "$head" "$rev"; then
    count=$(git_ rev-list --count "$head..$rev")
    git_ -c maintenance.auto=false merge -q --ff-only "$rev" 2>&1 || fail dirty "files that git does not track are in the way of the pull in \"$repo\""
    pulled=yes
    fact pull "advanced $count"
  elif git_ merge-base --is-ancestor "$rev" "$head"; then
    fail ahead "the checkout \"$repo\" is ahead of the revision of this run by $(git_ rev-list --count "$rev..$head")"
  else
    fail diverged "the checkout \"$repo\" has diverged: ahead by $(git_ rev-list --count "$rev..$head"), behind by $(git_ rev-list --count "$head..$rev")"
  fi
}

# pull_managed keeps a clone that is nobody's but fleetctl's: it may be reset.
pull_managed() {
  if [ ! -d "$repo/.git" ]; then
    rm -rf "$repo"
    mkdir -p "$repo"
    git_ init -q
    git_ remote add origin "$remote"
  fi
  git_ remote set-url origin "$remote"
  if [ -z "$rev" ]; then
    git_ rev-parse -q --verify HEAD >/dev/null || fail no-repo "fleetctl's clone of \"$remote\" has nothing yet: deploy once without --no-pull"
    fact pull "left as it is"
    return
  fi
  git_ cat-file -e "$rev^{commit}" 2>/dev/null || fetch origin "+refs/heads/$branch:refs/remotes/origin/$branch"
  git_ checkout -q -f --detach "$rev" 2>&1 || fail checkout "git cannot check $rev out in \"$repo\""
  git_ clean -q -ffdx
  pulled=yes
  fact pull "reset to the revision"
}

# fetch REMOTE REFSPEC [OPTION...]: the commit from there; every way in which it can fail is a different answer.
fetch() {
  fetch_status=0
  limit "$pull_seconds" env LC_ALL=C GIT_TERMINAL_PROMPT=0 SSH_ASKPASS_REQUIRE=never \
    git -C "$repo" fetch -q "$@" 2>"$dir/fetch" </dev/null || fetch_status=$?
  fetch_said=''
  if [ -s "$dir/fetch" ]; then
    cat "$dir/fetch"
    fetch_said=$(head -c 2000 "$dir/fetch")
  fi
  if [ $fetch_status = 0 ] && git_ cat-file -e "$rev^{commit}" 2>/dev/null; then return; fi
  url=$(git_ remote get-url "$1" 2>/dev/null) || url=$1
  if [ $fetch_status = 124 ]; then fail timeout "git fetch from \"$url\" took more than $pull_seconds s"; fi
  if [ $fetch_status != 0 ]; then
    case $fetch_said in
      *"Could not resolve"* | *"timed out"* | *"unreachable"* | *"Connection refused"* | *"No route to host"* | *"unable to connect"* | *"Failed to connect"* | *"Connection reset"*)
        fail no-network "git cannot reach \"$url\" from this host" ;;
      *"Permission denied"* | *"Authentication failed"* | *"could not read Username"* | *"could not read Password"* | *"ccess denied"* | *"not found"* | *"does not exist"* | *"does not appear to be a git repo"* | *"Host key verification failed"* | *"not exported"* | *"403"* | *"correct access rights"*)
        fail no-access "\"$url\" does not let $user on this host read it" ;;
      *"find remote ref"*)
        fail no-branch "\"$url\" has no branch $branch" ;;
    esac
    fail fetch "git fetch from \"$url\" exited with $fetch_status"
  fi
  fail no-revision "\"$url\" has no commit $rev on $branch"
}
