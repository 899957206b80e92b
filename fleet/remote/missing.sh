# shellcheck shell=sh
# missing.sh: reads names of store paths, and prints a line "path NAME" for each that is not in the
# store. The first line is the free space of the store: "free KIB", without a number if it is not
# known.
#
# uses: answer end_answer free_kib state store
# inputs: id token

main() {
  take "$@"
  dir=$state/jobs/$id
  find_store
  answer missing
  find_free_kib
  echo "free $free_kib"
  sed "s|^|$store/|" >"$dir/offered"
  xargs -n 200 nix-store --check-validity --print-invalid <"$dir/offered" >"$dir/missing"
  sed "s|^$store/|path |" "$dir/missing"
  rm -f "$dir/offered" "$dir/missing"
  end_answer
}
