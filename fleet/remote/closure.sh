# shellcheck shell=sh
# closure.sh: prints the closure of what a job has built, as lines of "NAME BYTES". Each path comes
# after those that it refers to.
#
# uses: answer end_answer real_path refuse state store
# inputs: id token

main() {
  take "$@"
  dir=$state/jobs/$id
  find_store
  [ -n "$(real_path "$dir/built")" ] || refuse vanished
  answer closure
  nix-store --query --requisites "$dir/built" >"$dir/closure" </dev/null
  xargs -n 200 nix-store --query --size <"$dir/closure" >"$dir/sizes"
  awk -v prefix="$store/" '
    NR == FNR { size[FNR] = $1; next }
    { print substr($1, length(prefix) + 1), size[FNR] }' "$dir/sizes" "$dir/closure"
  rm -f "$dir/sizes"
  end_answer
}
