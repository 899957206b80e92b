# shellcheck shell=sh
# pull.sh: brings the checkout to the commit of the run, as the login user. It never touches changes
# that are not committed.
#
# uses: fact fail fetch git origin step
# inputs: branch managed remote rev

# pull sets $pulled to yes if it moved the checkout.
pull() {
  start_step pull
  pulled=no
  if [ "$managed" = yes ]; then pull_clone; else pull_checkout; fi
  finish_step
}

pull_checkout() {
  if [ -z "$rev" ]; then
    fact pull "left at $head"
    return
  fi
  if [ "$head" = "$rev" ]; then
    fact pull "up to date"
    return
  fi
  find_origin
  git_ cat-file -e "$rev^{commit}" 2>/dev/null ||
    fetch "$origin" "+refs/heads/$branch:refs/remotes/$origin/$branch"
  read_distance <<DISTANCE
$(git_ rev-list --left-right --count "$head...$rev")
DISTANCE
  if [ "$ahead" = 0 ]; then
    check_out -c maintenance.auto=false merge -q --ff-only "$rev"
    fact pull "advanced $behind"
  elif [ "$behind" = 0 ]; then
    fail ahead "repo=$checkout" "ahead=$ahead"
  else
    fail diverged "repo=$checkout" "ahead=$ahead" "behind=$behind"
  fi
}

# read_distance reads how many commits the checkout has that the commit of the run lacks, and how
# many it lacks itself.
read_distance() { read -r ahead behind; }

# pull_clone moves the clone that fleetctl keeps. It has no other user and may be reset.
pull_clone() {
  if [ ! -d "$checkout/.git" ]; then
    rm -rf "$checkout"
    (umask 077 && mkdir -p "$checkout")
    git_ init -q
    git_ remote add origin "$remote"
  fi
  git_ remote set-url origin "$remote"
  if [ -z "$rev" ]; then
    git_ rev-parse -q --verify HEAD >/dev/null || fail no-repo "url=$remote" why=empty-clone
    fact pull "left as it is"
    return
  fi
  git_ cat-file -e "$rev^{commit}" 2>/dev/null || fetch origin "+refs/heads/$branch:refs/remotes/origin/$branch"
  check_out checkout -q -f --detach "$rev"
  git_ clean -q -ffdx
  fact pull "reset to the revision"
}

# check_out ARG... runs the git command that moves the checkout, or fails.
check_out() {
  checkout_status=0
  git_ "$@" >"$dir/git" 2>&1 || checkout_status=$?
  cat "$dir/git"
  [ $checkout_status = 0 ] ||
    fail checkout "exit=$checkout_status" "repo=$checkout" "rev=$rev" "text=$(head -c 2000 "$dir/git")"
  pulled=yes
}
