# shellcheck shell=sh
# pull.sh: brings the checkout to the commit of the run, as the login user. It never touches changes
# that are not committed.
#
# uses: check_signature fact fail fetch get_revision git git_output git_reason git_within origin put
# uses: redact step trial
# inputs: branch managed pull_seconds ref remote rev

# pull sets $pulled to yes if it moved the checkout.
pull() {
  start_step pull
  pulled=no
  if [ "$managed" = yes ]; then pull_clone; else pull_checkout; fi
  if [ -n "$trial" ]; then fact trial "$trial"; fi
  finish_step
}

pull_checkout() {
  if [ -z "$rev" ]; then
    check_signature "$head"
    fact pull "left at $head"
    return
  fi
  find_origin
  get_revision
  find_base
  read_distance <<DISTANCE
$(git_ rev-list --left-right --count "$base...$rev")
DISTANCE
  if [ "$ahead" != 0 ] && [ "$behind" = 0 ] && is_ancestor "$base" "$tip"; then
    fail older "repo=$checkout" "rev=$rev" "ahead=$ahead"
  elif [ "$ahead" != 0 ] && [ "$behind" = 0 ]; then
    fail ahead "repo=$checkout" "ahead=$ahead"
  elif [ "$ahead" != 0 ]; then
    fail diverged "repo=$checkout" "ahead=$ahead" "behind=$behind"
  elif [ $on_branch = no ] && [ "$head" != "$rev" ]; then
    try_revision
    trial=$ref
    fact pull "on trial"
  elif [ $on_branch = yes ] && [ -n "$trial" ]; then
    end_trial
    trial=''
    fact pull "back on the branch"
  elif [ "$head" = "$rev" ]; then
    fact pull "up to date"
  else
    fast_forward
    fact pull "advanced $behind"
  fi
}

# fetch_revision updates what the checkout knows about the remote, as git fetch does.
fetch_revision() {
  set -- "+refs/heads/$branch:refs/remotes/$origin/$branch"
  case $ref in
    "refs/heads/$branch") ;;
    refs/heads/*) set -- "$@" "+$ref:refs/remotes/$origin/${ref#refs/heads/}" ;;
    refs/tags/*) set -- "$@" "$ref" ;;
  esac
  fetch "$origin" "$@"
}

fetch_commit() { fetch "$origin" "$rev"; }

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
  trial=''
  if [ -z "$rev" ]; then
    head=$(git_ rev-parse -q --verify HEAD) || fail no-repo "url=$remote" why=empty-clone
    find_trial "$head"
    check_signature "$head"
    fact pull "left as it is"
    return
  fi
  origin=origin
  get_revision
  find_trial_file
  if [ $on_branch = yes ]; then
    rm -f "$trial_file"
  else
    put "$trial_file" "$rev $ref"
    trial=$ref
  fi
  check_out checkout -q -f --detach "$rev"
  git_ clean -q -ffdx
  if has_submodules; then
    git_ submodule -q sync --recursive
    update_submodules --force || fail_submodules
  fi
  fact pull "reset to the revision"
}

# fast_forward moves the user's own branch, or fails and leaves the tree as it was.
fast_forward() {
  try_filters
  check_out -c maintenance.auto=false merge -q --ff-only "$rev"
  update_initialized || {
    git_ reset -q --keep "$head"
    restore_submodules
  }
}

# try_revision moves the checkout off its branch, to a commit that is not on the fleet's, or fails
# and leaves the tree as it was.
try_revision() {
  try_filters
  find_trial_file
  put "$trial_file" "$head ${trial:-$ref}" "$rev $ref"
  # This moves nothing. From here on, the branch stays where it is.
  git_ update-ref --no-deref HEAD "$head"
  check_out reset -q --keep "$rev"
  update_initialized || {
    git_ reset -q --keep "$head"
    back_to_branch
    restore_submodules
  }
}

# end_trial moves the checkout back to its branch, which it fast-forwards, or fails and leaves the
# tree as it was.
end_trial() {
  try_filters
  put "$trial_file" "$head $trial" "$rev $trial"
  check_out reset -q --keep "$rev"
  update_initialized || {
    git_ reset -q --keep "$head"
    restore_submodules
  }
  git_ branch -q -f "$branch" "$rev" >"$dir/git" 2>&1 || fail_check_out
  git_ symbolic-ref HEAD "refs/heads/$branch"
  rm -f "$trial_file"
}

# back_to_branch undoes that try_revision has left the branch.
back_to_branch() { [ -n "$trial" ] || git_ symbolic-ref HEAD "refs/heads/$branch"; }

# update_initialized checks out those submodules that the user has initialized.
update_initialized() {
  has_submodules || return 0
  # shellcheck disable=SC2016 # git runs it
  print_path='printf "%s\n" "$displaypath"'
  set --
  while read -r submodule; do
    if [ -n "$submodule" ]; then set -- "$@" "$submodule"; fi
  done <<SUBMODULES
$(git_ submodule -q foreach "$print_path")
SUBMODULES
  [ $# = 0 ] || update_submodules -- "$@"
}

# restore_submodules returns the submodules to the commits of the tree as it was, and fails.
restore_submodules() {
  git_ submodule -q update --recursive 2>&1 | redact
  fail_submodules
}

has_submodules() { git_ cat-file -e "$rev:.gitmodules" 2>/dev/null; }

# update_submodules ARG... checks out the submodules.
update_submodules() {
  checkout_status=0
  git_within "$pull_seconds" submodule -q update --init --recursive "$@" >"$dir/git" 2>&1 </dev/null || checkout_status=$?
  redact_git_output
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
  redact_git_output
  [ $checkout_status = 0 ] || fail_check_out
}

# check_out ARG... runs the git command that moves the checkout, or fails.
check_out() {
  checkout_status=0
  git_ "$@" >"$dir/git" 2>&1 || checkout_status=$?
  redact_git_output
  if [ -s "$dir/git" ]; then cat "$dir/git"; fi
  if [ $checkout_status != 0 ]; then
    if [ "$managed" != yes ]; then
      undo_check_out || :
      back_to_branch
    fi
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
