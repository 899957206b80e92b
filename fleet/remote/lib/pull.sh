# shellcheck shell=sh
# pull.sh: brings the checkout to the commit of the run, as the login user. It never touches changes
# that are not committed.
#
# uses: fact fail fetch git git_reason git_within origin step
# inputs: branch managed pull_seconds remote rev

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
    fast_forward
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
  if has_submodules; then
    git_ submodule -q sync --recursive
    update_submodules --force || fail_submodules
  fi
  fact pull "reset to the revision"
}

# fast_forward moves the user's own checkout, or fails and leaves the tree as it was.
fast_forward() {
  try_filters
  check_out -c maintenance.auto=false merge -q --ff-only "$rev"
  has_submodules || return 0
  # Only those that the user has initialized: the others are not dirty either.
  # shellcheck disable=SC2016 # git runs it
  print_path='printf "%s\n" "$displaypath"'
  set --
  while read -r submodule; do
    if [ -n "$submodule" ]; then set -- "$@" "$submodule"; fi
  done <<SUBMODULES
$(git_ submodule -q foreach "$print_path")
SUBMODULES
  if [ $# = 0 ] || update_submodules -- "$@"; then return; fi
  git_ reset -q --keep "$head"
  git_ submodule -q update --recursive -- "$@" || :
  fail_submodules
}

has_submodules() { git_ cat-file -e "$rev:.gitmodules" 2>/dev/null; }

# update_submodules ARG... checks out the submodules.
update_submodules() {
  checkout_status=0
  git_within "$pull_seconds" submodule -q update --init --recursive "$@" >"$dir/git" 2>&1 </dev/null || checkout_status=$?
  cat "$dir/git"
  return "$checkout_status"
}

fail_submodules() {
  find_git_reason
  fail submodules "exit=$checkout_status" "repo=$checkout" "reason=$git_reason"
}

# try_filters runs the filters of changed files, as Git LFS and git-crypt have them, on copies. Git
# deletes a file before it runs its filter, so a filter that fails would cost the user the file.
try_filters() {
  git_ grep -q filter= "$rev" -- ':(top,glob)**/.gitattributes' 2>/dev/null || return 0
  checkout_status=0
  top=$(git_ rev-parse --show-toplevel)
  (
    export GIT_INDEX_FILE="$dir/index"
    git_ read-tree "$rev"
    changed_paths AMT | git_ -C "$top" checkout-index -q -z --stdin --prefix="$dir/files/"
  ) >"$dir/git" 2>&1 || checkout_status=$?
  rm -rf "$dir/index" "$dir/files"
  [ $checkout_status = 0 ] || fail_check_out
}

# check_out ARG... runs the git command that moves the checkout, or fails.
check_out() {
  checkout_status=0
  git_ "$@" >"$dir/git" 2>&1 || checkout_status=$?
  cat "$dir/git"
  if [ $checkout_status != 0 ]; then
    if [ "$managed" != yes ]; then undo_check_out || :; fi
    fail_check_out
  fi
  pulled=yes
}

fail_check_out() {
  find_git_reason
  fail checkout "exit=$checkout_status" "repo=$checkout" "rev=$rev" "reason=$git_reason" "text=$(head -c 2000 "$dir/git")"
}

# undo_check_out restores what a failed fast-forward has already changed. Git had checked that none
# of these files had changes, and writes nothing if it finds some.
undo_check_out() {
  if grep -q -e 'would be overwritten' -e 'index\.lock' "$dir/git"; then return; fi
  top=$(git_ rev-parse --show-toplevel)
  git_ read-tree -m "$head"
  changed_paths MDT | git_ -C "$top" checkout-index -f -q -u -z --stdin || :
  changed_paths A | (cd "$top" && xargs -0 rm -f --)
}

# changed_paths FILTER prints the paths that the fast-forward changes, each with a zero byte.
changed_paths() { git_ diff --no-renames --name-only -z --diff-filter="$1" "$head" "$rev"; }
