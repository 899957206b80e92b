# shellcheck shell=sh
# check_disk.sh: checks whether the store has room for another system. The script that uses it
# defines fail.
#
# uses: free_kib

# Half a GiB: the store cannot hold the difference between two systems in less.
min_free_kib=524288

check_disk() {
  find_free_kib
  case $free_kib in
    '' | *[!0-9]*) return ;; # df does not know this store: Nix will notice if it is full
  esac
  [ "$free_kib" -ge "$min_free_kib" ] || fail disk "free_mib=$((free_kib / 1024))"
}
