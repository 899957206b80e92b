# shellcheck shell=sh
# root_script.sh: starts the root half.
#
# uses: digest quote sudo

# run_root_script runs $dir/root.sh as root, from a copy that only root can write. Other processes
# of the login user can write to $dir, so root compares the copy with $digest, which was computed
# from the text and not from the file. Exit status 69 means that it could not start.
#
# The loader has the PATH of root from its first command: sudo may have left the user's.
run_root_script() {
  quote "$system_path"
  # shellcheck disable=SC2016 # the shell of root expands them
  as_root /bin/sh -c "PATH=$quoted"'
export PATH
umask 077
copy=$3/start-$4.$$
mkdir -p -m 755 "$3" && [ ! -L "$3" ] && [ -O "$3" ] && chmod 755 "$3" || {
  echo "$3 is not a directory of root"
  exit 69
}
head -c 1048576 "$2" >"$copy" || exit 69
case $({ sha256sum || shasum -a 256 || openssl dgst -sha256 -r; } 2>/dev/null <"$copy") in
  "$1 "*) exec /bin/sh "$copy" start ;;
esac
rm -f "$copy"
echo "$2 is not what fleetctl wrote"
exit 69' fleetctl "$digest" "$dir/root.sh" "$root_state" "$id"
}
