# shellcheck shell=sh
# preview.sh: prints what a deploy would do here, as lines of KEY VALUE. The files, index, branches
# and remote branches of the checkout stay as they are: commits that it lacks are fetched into its
# objects, with no reference to them. Evaluation leaves in the store what a build would.
#
# uses: answer check_checkout check_disk check_name check_signature checkout compare current encode
# uses: end_answer fetch filters get_revision git git_within has nix_build origin real_path
# uses: redact revision source specialisation sudo
# inputs: attribute branch build build_seconds flake_dir kind managed ref remote rev runs_there
# inputs: serves

main() {
  take "$@"
  answer planned
  dir=$(mktemp -d)
  trap 'rm -rf "$dir"' EXIT
  trap 'exit 129' HUP TERM
  preview_status=0
  (
    preview_commits
    if [ -n "$attribute" ]; then preview_build "$@"; fi
    exit 0
  ) || preview_status=$?
  # 1 is the exit status of fail. With any other the subshell was killed, and has not said all.
  [ "$preview_status" -le 1 ] || exit "$preview_status"
  end_answer
}

# print KEY VALUE prints a line if there is a value.
print() { [ -z "$2" ] || printf '%s %s\n' "$1" "$2"; }

# fail CODE [KEY=VALUE...] reports the problem that would keep a deploy from working, and that keeps
# this script from finding out more.
fail() {
  code=$1
  shift
  encode "$@"
  print problem "$code$fields"
  exit 1
}

preview_commits() {
  has git || fail no-git
  if [ -n "$serves" ]; then
    find_source
  else
    check_name
    find_checkout
  fi
  find_filters
  if [ -n "$serves" ]; then
    [ -d "$checkout/.git" ] || fail no-clone "url=$remote"
    origin=origin trial='' head=${runs_there%-dirty}
    has_commit "$head" || head=$rev
  elif [ "$managed" = yes ]; then
    [ -d "$checkout/.git" ] || fail no-clone "url=$remote"
    origin=origin
    head=$(git_ rev-parse -q --verify HEAD) || fail no-clone "url=$remote"
    trial=''
  else
    check_checkout
    find_origin
  fi
  print head "$head"
  if [ -z "$rev" ]; then
    rev=$head trial=''
    check_signature "$rev"
  else
    runs=$runs_there
    if [ -z "$serves" ]; then
      find_revision "$(current_link)"
      runs=$revision
    fi
    get_revision
  fi
  find_base
  git_ rev-list --left-right --count "$base...$rev" | {
    read -r ahead behind
    print standing "$ahead $behind"
    if [ "$managed" != yes ] && [ "$ahead" != 0 ] && [ "$behind" = 0 ] && is_ancestor "$base" "$tip"; then
      encode "repo=$checkout" "rev=$rev" "ahead=$ahead"
      print problem "older$fields"
    fi
  }
  git_ log --no-show-signature -n 100 --format='commit %H %ct %s%nauthor %an' "$head..$rev"
}

# fetch_revision leaves every branch as it is, those of the remote included.
fetch_revision() {
  set -- "refs/heads/$branch"
  case $ref in
    "refs/heads/$branch") ;;
    refs/*) set -- "$@" "$ref" ;;
  esac
  fetch_objects "$@"
  if [ $fetch_status = 0 ]; then
    tip=$(git_within 20 ls-remote "$origin" "refs/heads/$branch" </dev/null | cut -f 1)
  fi
}

fetch_commit() { fetch_objects "$rev"; }

# --refmap= keeps git from moving the branch of the remote.
fetch_objects() { fetch "$origin" "$@" --refmap= --no-write-fetch-head --no-auto-gc --no-tags; }

# preview_build ARGUMENT... takes the arguments of the script.
preview_build() {
  has nix || fail no-nix
  check_disk
  find_flake
  cd "$checkout/$flake_dir" 2>/dev/null || : # arguments may have relative paths
  find_substituters "$@"
  left=$(printf '%s\n' "$substituters" | redact)
  for silent_url in $(printf '%s\n' "$silent" | redact); do
    encode "url=$silent_url" "left=$left"
    print warning "substituter$fields"
  done
  run_nix '' "$@"
  if [ "$build" != yes ]; then return; fi
  run_nix "$dir/built" "$@"
  built=$(real_path "$dir/built")
  from=$(current)
  find_selected
  print from "$from"
  print built "$selected"
  if [ -z "$from" ] || [ "$from" = "$selected" ]; then return; fi
  compare "$from" "$selected" "$build_seconds"
  if [ "$kind" = nixos ]; then preview_units; fi
}

# find_flake sets $flake to what a deploy would build, at the commit of the run.
find_flake() {
  flake_path=$(git_ rev-parse --show-prefix)$flake_dir
  flake_path=${flake_path%/}
  if [ -n "$flake_dir" ]; then
    git_ cat-file -e "$rev:$flake_path/flake.nix" 2>/dev/null || fail no-flake "repo=$checkout" "dir=$flake_dir"
  fi
  # Like Nix, use the first directory above that has a flake.
  until [ -z "$flake_path" ] || git_ cat-file -e "$rev:$flake_path/flake.nix" 2>/dev/null; do
    case $flake_path in
      */*) flake_path=${flake_path%/*} ;;
      *) flake_path='' ;;
    esac
  done
  flake="git+file://$(escape_url "$(git_ rev-parse --show-toplevel)")?rev=$rev"
  if [ -n "$flake_path" ]; then flake="$flake&dir=$(escape_url "$flake_path")"; fi
  if git_ cat-file -e "$rev:.gitmodules" 2>/dev/null; then flake="$flake&submodules=1"; fi
  if [ "$(git_ rev-parse --is-shallow-repository)" = true ]; then flake="$flake&shallow=1"; fi
  if git_ grep -q filter= "$rev" -- ':(top,glob)**/.gitattributes' 2>/dev/null; then find_filtered_flake; fi
}

# find_filtered_flake sets $flake to the checkout, as a deploy has it, if that is at the commit. Nix
# reads the files of a commit as they are in the repository, but those of a checkout as filters have
# written them (getAccessorFromWorkdir in Nix, src/libfetchers/git.cc).
find_filtered_flake() {
  if [ "$head" != "$rev" ]; then
    print warning filters
    return
  fi
  flake=.
  if git_ cat-file -e "$rev:.gitmodules" 2>/dev/null; then flake='.?submodules=1'; fi
}

escape_url() { printf %s "$1" | sed 's/%/%25/g; s/ /%20/g; s/#/%23/g; s/?/%3F/g; s/&/%26/g'; }

# run_nix OUT_LINK ARGUMENT... builds and prints the output, or fails. Without an out-link it only
# prints what a build would do.
run_nix() {
  out_link=$1 log_format=''
  shift
  nix_build "$@" >"$dir/nix"
  sed 's/^/nix /' "$dir/nix"
  case $nix_status in
    0) ;;
    124) fail timeout "seconds=$build_seconds" ;;
    *) fail build "exit=$nix_status" ;;
  esac
}

# preview_units asks the built system what it would do to units, if that takes no password.
preview_units() {
  prompt=''
  # shellcheck disable=SC2016 # the shell of root expands it
  as_root /bin/sh -c 'exec "$0" dry-activate' "$selected/bin/switch-to-configuration"
  if [ $root_status = 0 ]; then printf '%s\n' "$root_output" | sed 's/^/units /'; fi
}
