# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154
# plan.sh: what a deploy would do here, in lines of KEY VALUE. The checkout's files, index, branches and remote branches stay as they are:
# commits that it lacks are fetched into its objects, where nothing refers to them. Evaluating leaves in the store what a build would.

main() {
  take "$@"
  answer planned
  dir=$(mktemp -d)
  trap 'rm -rf "$dir"' EXIT
  trap 'exit 129' HUP TERM
  (
    plan_commits
    if [ -n "$attribute" ]; then plan_build; fi
  ) || :
}

# tell KEY VALUE: a line, where there is a value.
tell() { [ -z "$2" ] || printf '%s %s\n' "$1" "$2"; }

# fail CODE TEXT: what would keep a deploy from going on, and this from knowing more.
fail() {
  one_line "$2"
  tell problem "$1 $line"
  exit 1
}

plan_commits() {
  has git || fail no-git "there is no git on this host"
  find_repo
  if [ "$managed" = yes ]; then
    [ -d "$repo/.git" ] || fail no-clone "fleetctl has no clone of \"$remote\" here yet: a deploy makes one"
    origin=origin
  else
    (preflight_repo) || exit 1
    origin=$(git_ config "branch.$branch.remote") || origin=origin
  fi
  head=$(git_ rev-parse HEAD) || fail no-repo "the checkout \"$repo\" has no commit"
  tell head "$head"
  rev=${rev:-$head}
  # --refmap= keeps git from moving the remote's branch, as it else would on the way.
  git_ cat-file -e "$rev^{commit}" 2>/dev/null ||
    fetch "$origin" "refs/heads/$branch" --refmap= --no-write-fetch-head --no-auto-gc --no-tags
  git_ rev-list --left-right --count "$head...$rev" | {
    read -r ahead behind
    tell standing "$ahead $behind"
  }
  git_ log --no-show-signature -n 100 --format='commit %H %ct %s%nauthor %an' "$head..$rev"
}

plan_build() {
  has nix || fail no-nix "there is no nix on this host"
  url="git+file://$(printf %s "$repo" | sed 's/%/%25/g; s/ /%20/g; s/#/%23/g; s/?/%3F/g')?rev=$rev#$attribute"
  nix_ build "$url" --dry-run || nix_failed
  sed 's/^/nix /' "$dir/said"
  if [ "$build" = yes ]; then plan_difference; fi
}

# nix_ ARGS...: what it says is in $dir/said.
nix_() {
  limit "$build_seconds" nix --extra-experimental-features 'nix-command flakes' "$@" --no-write-lock-file \
    >"$dir/said" 2>&1 </dev/null
}

# nix_failed: the last error tells most, but for the one that counts what could not be built for it.
nix_failed() {
  fail build "$(sed -n '/ of derivation .* failed to build/d; s/;$//; s/^ *error: *//p' "$dir/said" | tail -n 1 | grep . || echo "nix build failed")"
}

# plan_difference builds, and holds what was built against what runs.
plan_difference() {
  nix_ build "$url" --out-link "$dir/built" || nix_failed
  built=$(there "$dir/built")
  from=$(current)
  tell from "$from"
  tell built "$built"
  if [ -z "$from" ] || [ "$from" = "$built" ]; then return; fi
  nix --extra-experimental-features 'nix-command' store diff-closures "$from" "$built" </dev/null 2>&1 | sed 's/^/difference /'
  if [ "$kind" = nixos ]; then plan_units; fi
}

# plan_units asks the built system what it would do to units, where that can be had without a password.
plan_units() {
  set -- "$built/bin/switch-to-configuration" dry-activate
  if [ "$(id -u)" != 0 ]; then
    LC_ALL=C sudo -n true 2>/dev/null || return 0
    set -- sudo -n -- "$@"
  fi
  "$@" 2>&1 </dev/null | sed 's/^/units /'
}
