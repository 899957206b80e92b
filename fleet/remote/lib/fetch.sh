# shellcheck shell=sh
# fetch.sh: fetches from the remote, for at most $pull_seconds in all.
#
# uses: clock git_output git_within
# inputs: pull_seconds

# fetch REMOTE [OPTION...] REFSPEC... sets $fetch_status, which is 124 if it took too long, and
# leaves the output of git in $dir/git.
fetch() {
  read_clock
  : "${fetch_start:=$now}"
  fetch_seconds=$((fetch_start + pull_seconds - now))
  [ $fetch_seconds -ge 1 ] || fetch_seconds=1
  fetch_status=0
  git_within "$fetch_seconds" fetch -q --no-recurse-submodules "$@" 2>"$dir/git" </dev/null || fetch_status=$?
  redact_git_output
  if [ -s "$dir/git" ]; then cat "$dir/git" >&2; fi
}
