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

# know_revision sets $revision to the commit that what runs was built from, as far as it can be told: by the system itself, or by
# what was remembered.
know_revision() {
  case $kind in
    home) know_revision_of "$(home_profiles)/home-manager" ;;
    *) know_revision_of "$R/run/current-system" ;;
  esac
}

# know_revision_of SYSTEM does so for another than the one that runs.
know_revision_of() {
  know_own_revision "$1"
  if [ -n "$revision" ] || [ ! -r "$state/revisions" ]; then return; fi
  now=$(there "$1")
  while read -r path remembered; do
    if [ "$path" = "$now" ]; then revision=$remembered; fi
  done <"$state/revisions"
}

know_own_revision() {
  case $kind in
    nixos) version=$("$1/sw/bin/nixos-version" --json 2>/dev/null) || version='' ;;
    darwin) version=$(cat "$1/darwin-version.json" 2>/dev/null) || version='' ;;
    *) version='' ;;
  esac
  json_string configurationRevision "$version"
  revision=$string
}

# made_at LINK: when it was made, in seconds since 1970. A generation is as old as the profile's link to it.
made_at() { stat -c %Y "$1" 2>/dev/null || stat -f %m "$1" 2>/dev/null; }

# json_string KEY JSON sets $string to the string of that name in flat JSON, or to nothing.
json_string() {
  string=''
  case $2 in
    *"\"$1\""*) ;;
    *) return 0 ;;
  esac
  string=${2#*"\"$1\""}
  string=${string#*\"}
  string=${string%%\"*}
}

# failed_units prints the names of the units that have failed, in a line.
failed_units() {
  if [ -d "$R/run/systemd/system" ] && has systemctl; then
    systemctl list-units --failed --plain --no-legend 2>/dev/null | while read -r unit _; do printf '%s ' "$unit"; done
  fi
}

preflight() {
  begin preflight
  from=$(current)
  know_revision
  fact before "$revision"
  fact from "$from"

  has git || fail no-git "there is no git on this host"
  if [ -z "$switch_command" ]; then has nix || fail no-nix "there is no nix on this host"; fi

  find_repo
  if [ "$managed" != yes ] && [ "$goal" != rollback ] && [ "$to" = 0 ]; then preflight_repo; fi
  preflight_disk
  # A unit that systemd-run has made is a file there while it lives.
  rebuild=nixos-rebuild-switch-to-configuration.service
  if [ "$kind" != home ] && [ -e "$R/run/systemd/transient/$rebuild" ] && systemctl is-active --quiet "$rebuild"; then
    fail busy "another activation is under way on this host ($rebuild)"
  fi
  units_before=" $(failed_units)"
  done_with preflight
}

preflight_repo() {
  [ -d "$repo" ] || fail no-repo "there is no directory \"$repo\""
  standing=$(git_ status --porcelain=v2 --branch --untracked-files=no) || fail no-repo "\"$repo\" is not a git checkout that $user can use"
  read_standing <<STANDING
$standing
STANDING
  if [ "$on" = "(detached)" ]; then on="no branch"; fi
  [ -z "$rev" ] || [ "$on" = "$branch" ] || fail wrong-branch "the checkout \"$repo\" is on $on, not on $branch"
  [ -z "$dirty" ] || fail dirty "the checkout \"$repo\" has changes that are not committed (${dirty% })"
}

# read_standing reads what git says of the checkout: $head is its commit, or nothing, $on its branch, $dirty five of its changed files.
read_standing() {
  head='' on='' dirty='' changes=0
  while read -r mark key rest; do
    case "$mark $key" in
      '# branch.oid') [ "$rest" = "(initial)" ] || head=$rest ;;
      '# branch.head') on=$rest ;;
      '# '*) ;;
      *) changed_file "$mark" ;;
    esac
  done
}

# changed_file adds to $dirty the path in $rest, which comes after as many fields as git-status(1) says.
changed_file() {
  changes=$((changes + 1))
  [ "$changes" -le 5 ] || return 0
  case $1 in
    2) fields=7 ;;
    u) fields=8 ;;
    *) fields=6 ;;
  esac
  while [ "$fields" -gt 0 ]; do
    rest=${rest#* }
    fields=$((fields - 1))
  done
  dirty="$dirty${rest%%	*} "
}

preflight_disk() {
  read_free <<DISK
$(df -Pk "$R/nix/store" 2>/dev/null)
DISK
  case $free in
    '' | *[!0-9]*) return ;; # a store that df does not know is for nix to judge
  esac
  [ "$free" -ge "$min_free_kib" ] || fail disk "only $((free / 1024)) MiB are free in /nix/store"
}

read_free() {
  read -r _ && read -r _ _ _ free _ || free=''
}
