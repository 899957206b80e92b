# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154
# again.sh: follows a job that was started before.

main() {
  take "$@"
  know_boot
  dir=$jobs/$id
  if [ ! -e "$dir/began" ]; then
    answer absent
    return
  fi
  read -r kind <"$dir/kind"
  follow
}
