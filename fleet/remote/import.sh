# shellcheck shell=sh
# import.sh: adds store paths to the store. They come on standard input, as nix-store --export
# prints them, once the header was seen. The exit status is that of nix-store, and its messages are
# on standard error. A path that has arrived as a whole stays if the rest does not arrive.
#
# Root may import unsigned paths. The user may if Nix trusts them.
#
# uses: answer become_root
# inputs: as prompt token

main() {
  take "$@"
  if [ "$as" = user ]; then
    answer importing
    exec nix-store --import >/dev/null
  fi
  # shellcheck disable=SC2016 # the shell of root expands them
  become_root /bin/sh -c 'PATH=$1
export PATH
printf "@%s importing\n" "$2"
exec nix-store --import >/dev/null' fleetctl "$system_path" "$token"
}
