# shellcheck shell=sh
# describe_job.sh: describes the job that holds a host.

# describe_job JOB prints KEY=VALUE words: job, and who, since and step if they are known.
describe_job() {
  described=$state/jobs/$1
  printf 'job=%s' "$1"
  for file in who since steps; do
    if [ -r "$described/$file" ]; then
      printf ' %s=%s' "${file%s}" "$(tail -n 1 "$described/$file" | tr -c 'A-Za-z0-9@.:+/_\n-' '?')"
    fi
  done
}
