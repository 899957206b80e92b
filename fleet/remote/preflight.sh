# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154
# preflight.sh: is this host fit to be deployed? Looks, and changes nothing.

min_free_kib=524288 # half a GiB in the store: less does not hold a system's difference

# git_ ARGS...: git in the checkout, in English for those who parse it, never asking anybody anything.
git_() { LC_ALL=C GIT_TERMINAL_PROMPT=0 SSH_ASKPASS_REQUIRE=never GIT_OPTIONAL_LOCKS=0 git -C "$repo" "$@"; }

# find_repo sets repo to the checkout: the user's own, or the clone that fleetctl keeps.
find_repo() {
  if [ "$managed" = yes ]; then
    repo=$state/repos/$(printf '%s' "$remote" | cksum | cut -d' ' -f1)
    return
  fi
  case $repo in
    \~/*) repo=$HOME/${repo#??} ;;
  esac
}

# current prints what this host runs: a store path, or nothing.
current() {
  case $kind in
    home) there "$(home_profiles)/home-manager" ;;
    *) there "$R/run/current-system" ;;
  esac
}

# home_profiles prints where home-manager keeps its profile.
home_profiles() {
  for profiles in "${XDG_STATE_HOME:-$HOME/.local/state}/nix/profiles" "$R/nix/var/nix/profiles/per-user/$user"; do
    if [ -d "$profiles" ]; then
      echo "$profiles"
      return
    fi
  done
  echo "${XDG_STATE_HOME:-$HOME/.local/state}/nix/profiles"
}

# revision prints the commit that what runs was built from, as far as it can be told.
revision() { revision_of "$(current)"; }

# revision_of SYSTEM: the same of another, by its physical path.
revision_of() {
  revision=''
  case $kind in
    nixos) revision=$("$1/sw/bin/nixos-version" --json 2>/dev/null | json_value configurationRevision) || : ;;
    darwin) revision=$(json_value configurationRevision 2>/dev/null <"$1/darwin-version.json") || : ;;
  esac
  if [ -z "$revision" ] && [ -r "$state/revisions" ]; then
    revision=$(awk -v now="$1" '$1 == now { print $2; exit }' "$state/revisions")
  fi
  printf '%s\n' "$revision"
}

# made_at LINK: when it was made, in seconds since 1970. A generation is as old as the profile's link to it.
made_at() { stat -c %Y "$1" 2>/dev/null || stat -f %m "$1" 2>/dev/null; }

# json_value KEY: the string of that name in the flat JSON on standard input.
json_value() { sed -n 's/.*"'"$1"'" *: *"\([^"]*\)".*/\1/p' | head -n 1; }

# failed_units prints the names of the units that have failed, in a line.
failed_units() {
  if [ -d "$R/run/systemd/system" ] && has systemctl; then
    systemctl list-units --failed --plain --no-legend 2>/dev/null | while read -r unit _; do printf '%s ' "$unit"; done
  fi
}

preflight() {
  begin preflight
  from=$(current)
  fact before "$(revision)"
  fact from "$from"

  has git || fail no-git "there is no git on this host"
  if [ -z "$switch_command" ]; then has nix || fail no-nix "there is no nix on this host"; fi

  find_repo
  if [ "$managed" != yes ] && [ "$goal" != rollback ]; then preflight_repo; fi
  preflight_disk
  if [ "$kind" != home ] && [ -d "$R/run/systemd/system" ] && has systemctl &&
    systemctl is-active --quiet nixos-rebuild-switch-to-configuration.service; then
    fail busy "another activation is under way on this host (nixos-rebuild-switch-to-configuration.service)"
  fi
  units_before=" $(failed_units)"
  done_with preflight
}

preflight_repo() {
  [ -d "$repo" ] || fail no-repo "there is no directory \"$repo\""
  git_ rev-parse --git-dir >/dev/null || fail no-repo "\"$repo\" is not a git checkout that $user can use"
  on=$(git_ symbolic-ref -q --short HEAD) || on="no branch"
  [ -z "$rev" ] || [ "$on" = "$branch" ] || fail wrong-branch "the checkout \"$repo\" is on $on, not on $branch"
  dirty=$(git_ status --porcelain --untracked-files=no | head -n 5 | cut -c 4- | tr '\n' ' ')
  [ -z "$dirty" ] || fail dirty "the checkout \"$repo\" has changes that are not committed (${dirty% })"
}

preflight_disk() {
  free=$(df -Pk "$R/nix/store" 2>/dev/null | awk 'NR == 2 { print $4 }') || free=''
  case $free in
    '' | *[!0-9]*) return ;; # a store that df does not know is for nix to judge
  esac
  [ "$free" -ge "$min_free_kib" ] || fail disk "only $((free / 1024)) MiB are free in /nix/store"
}
