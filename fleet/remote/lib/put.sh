# shellcheck shell=sh
# put.sh: writes files that other processes read.

# put FILE [LINE...] replaces the file in one step, so that no reader finds it empty or half
# written.
put() {
  put_file=$1
  shift
  if [ $# = 0 ]; then
    : >"$put_file"
    return
  fi
  printf '%s\n' "$@" >"$put_file.$$.new"
  mv -f "$put_file.$$.new" "$put_file"
}
