# shellcheck shell=sh
# substitute.sh: reads names of store paths, and gets those from the host's substituters that these
# have. It prints what Nix prints.
#
# uses: answer nix_within state store substituters
# inputs: copy_seconds id nix_option... token

main() {
  take "$@"
  dir=$state/jobs/$id
  find_store
  answer substituting
  find_substituters "$@"
  if [ -z "$substituters" ]; then return; fi
  for argument in "$@"; do
    shift
    case $argument in
      nix_option=*)
        argument=${argument#*=}
        set -- "$@" --option "${argument%% *}" "${argument#* }"
        ;;
    esac
  done
  while read -r name; do set -- "$@" "$store/$name"; done
  # Paths that no substituter has are errors, which do not matter here. Without a job, Nix builds
  # nothing.
  nix_within "$copy_seconds" build --no-link --keep-going --log-format internal-json -v "$@" --option max-jobs 0 \
    --option substituters "$substituters" 2>&1 </dev/null || :
}
