# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154
# generations.sh: what this host can go back to, in lines of KEY VALUE: the number that the profile is "current" at, the system that was
# "booted", and of each "generation" its number, time, revision and store path. A table waits for it, so one process does a thing for all.

main() {
  take "$@"
  case $kind in
    home) profile=$(home_profiles)/home-manager ;;
    *) profile=$R/nix/var/nix/profiles/system ;;
  esac
  answer generations
  link=$(readlink "$profile" 2>/dev/null) || link=''
  link=${link%-link}
  echo "current ${link##*-}"
  if [ "$kind" = nixos ]; then echo "booted $(there "$R/run/booted-system")"; fi
  set --
  for link in "$profile"-*-link; do
    if [ -L "$link" ]; then set -- "$@" "$link"; fi # not the pattern itself, where there is none
  done
  if [ $# != 0 ]; then links "$@" | with_revisions "$@"; fi
}

# links LINK...: each with its time before it and its target after it, as the stat of GNU or that of macOS has it.
links() {
  QUOTING_STYLE=literal stat -c '%Y %N' "$@" 2>/dev/null || stat -f '%m %N -> %Y' "$@" 2>/dev/null || :
}

# with_revisions LINK...: the links on standard input, with what each was built from: what it says itself, else what the deploy wrote down.
with_revisions() {
  many=$#
  for link in "$@"; do
    case $kind in
      nixos) told=$link/sw/bin/nixos-version ;;
      darwin) told=$link/darwin-version.json ;;
      *) break ;;
    esac
    if [ -r "$told" ]; then set -- "$@" "$told"; fi
  done
  shift "$many"
  if [ -r "$state/revisions" ]; then set -- part=noted "$state/revisions" part=told "$@"; else set -- part=told "$@"; fi
  awk '
    part == "noted" { noted[$1] = $2; next }
    part == "told" {
      if (match($0, /"configurationRevision" *: *"[^"]+"/)) {
        split(substr($0, RSTART, RLENGTH), words, "\"")
        number = FILENAME
        sub(/-link\/(sw\/bin\/nixos-version|darwin-version\.json)$/, "", number)
        sub(/.*-/, "", number)
        told[number] = words[4]
      }
      next
    }
    {
      gsub(/\047/, "") # which busybox puts around names
      at = index($0, "-link -> ")
      if (!at) next
      path = substr($0, at + 9)
      number = substr($0, 1, at - 1)
      sub(/.*-/, "", number)
      revision = number in told ? told[number] : noted[path]
      print "generation", number, $1, (revision == "" ? "-" : revision), path
    }
  ' "$@" part=links -
}
