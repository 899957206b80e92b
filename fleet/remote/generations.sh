# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154
# generations.sh: what this host could go back to, in lines of NUMBER EPOCH REVISION WORD..., the newest first; what is not known is a dash.

main() {
  take "$@"
  answer generations
  choose_profile
  at=$(generation "$profile") booted=''
  if [ "$kind" = nixos ]; then booted=$(there "$R/run/booted-system"); fi
  for link in "$profile"-*-link; do echo "$link"; done | sed -n 's/.*-\([0-9][0-9]*\)-link$/\1/p' | sort -rn | head -n "$most" |
    while read -r number; do
      link=$profile-$number-link
      system=$(there "$link")
      [ -n "$system" ] || continue
      words=''
      if [ "$number" = "$at" ]; then words=' current'; fi
      if [ "$system" = "$booted" ]; then words="$words booted"; fi
      know_revision_of "$system" </dev/null
      made=$(made_at "$link") || made=-
      echo "$number $made ${revision:--}$words"
    done
}
