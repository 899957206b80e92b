# shellcheck shell=sh
# importer.sh: finds out who can import unsigned store paths: "root" or "user". Root can always. A
# home may belong to a user who cannot become root: then it is up to Nix.
#
# uses: refuse_root reply store sudo
# inputs: kind prompt root_by token

main() {
  take "$@"
  find_store
  # The store of a user without a daemon: root's files in it would be in the way.
  if [ "$kind" = home ] && [ -w "$store" ]; then
    reply importer user
    return
  fi
  as_root /bin/sh -c :
  if [ "$root_status" = 0 ]; then
    reply importer root
  elif [ "$kind" = home ]; then
    reply importer user
  else
    refuse_root
  fi
}
