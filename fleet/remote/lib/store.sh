# shellcheck shell=sh
# store.sh: finds the Nix store. Operators and hosts exchange names of store paths, without the
# directory: "HASH-NAME".
#
# uses: real_path

# find_store sets $store. Before Nix has added anything, the directory may not exist.
find_store() {
  store=$(real_path "$sysroot/nix/store")
  : "${store:=$sysroot/nix/store}"
}
