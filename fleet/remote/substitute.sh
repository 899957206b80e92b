# shellcheck shell=sh
# substitute.sh: reads names of store paths, and gets those from the host's substituters that these
# have. It prints what Nix prints.
#
# uses: answer nix_setting nix_within store
# inputs: copy_seconds token

main() {
  take "$@"
  find_store
  answer substituting
  set --
  while read -r name; do set -- "$@" "$store/$name"; done
  if [ $# = 0 ] || [ -z "$(nix_setting substituters)" ]; then return; fi
  # Paths that no substituter has are errors, which do not matter here.
  nix_within "$copy_seconds" build --no-link --keep-going --option max-jobs 0 --log-format internal-json -v "$@" 2>&1 </dev/null || :
}
