# shellcheck shell=sh
# receive.sh: waits for what another host builds for this one.
#
# uses: await fact fail real_path step store
# inputs: elsewhere

# receive waits until the operator has copied the configuration to the store, and makes it a GC
# root. It sets $built.
receive() {
  fact awaiting path
  await 86400 path
  # english:ignore the name of a result code
  if [ -z "$received" ]; then finish cancelled abandoned; fi
  start_step copy
  find_store
  name=''
  read -r name <"$dir/path" || :
  case $name in
    '' | .* | *[!A-Za-z0-9+._?=-]*) fail no-path "path=$name" ;;
  esac
  link_status=0
  nix-store --realise "$store/$name" --add-root "$dir/built" --indirect --option max-jobs 0 >/dev/null 2>&1 </dev/null || link_status=$?
  built=$(real_path "$dir/built")
  if [ $link_status != 0 ] || [ "$built" != "$store/$name" ]; then fail no-path "path=$name"; fi
  fact built "$built"
  finish_step
}
