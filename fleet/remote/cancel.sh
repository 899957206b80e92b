# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154
# cancel.sh: ends a job, at the operator's request.

main() {
  take "$@"
  know_boot
  dir=$jobs/$id
  if [ ! -d "$dir" ]; then
    answer absent
    return
  fi
  end_job || refuse "$refusal"
  answer cancelled
}
