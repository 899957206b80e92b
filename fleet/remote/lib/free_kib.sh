# shellcheck shell=sh
# free_kib.sh: finds out how much room the store has.

# find_free_kib sets $free_kib to the free space of the store.
find_free_kib() {
  read_free_kib <<DISK
$(df -Pk "$sysroot/nix/store" 2>/dev/null)
DISK
}

# read_free_kib reads the output of df.
read_free_kib() {
  read -r _ && read -r _ _ _ free_kib _ || free_kib=''
}
