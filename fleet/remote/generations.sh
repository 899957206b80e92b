# shellcheck shell=sh
# generations.sh: prints the newest generations of the host, newest first, as lines of NUMBER EPOCH
# REVISION and the words "current" and "booted" if they apply. What is not known is a dash.
#
# uses: answer end_answer generation generations modified profile revision
# inputs: kind most

main() {
  take "$@"
  answer generations
  find_profile
  current_number=$(generation "$profile") booted=''
  if [ "$kind" = nixos ]; then booted=$(real_path "$sysroot/run/booted-system"); fi
  generations | sort -rn | head -n "$most" |
    while read -r number; do
      link=$profile-$number-link
      built=$(real_path "$link")
      [ -n "$built" ] || continue
      words=''
      if [ "$number" = "$current_number" ]; then words=' current'; fi
      if [ "$built" = "$booted" ]; then words="$words booted"; fi
      find_revision "$built" </dev/null
      made=$(modified "$link") || made=-
      echo "$number $made ${revision:--}$words"
    done
  end_answer
}
