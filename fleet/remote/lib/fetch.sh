# shellcheck shell=sh
# fetch.sh: fetches the commit of the run.
#
# uses: git git_reason git_within ssh_agent
# inputs: branch pull_seconds rev

# fetch REMOTE REFSPEC [OPTION...] fetches the commit from the remote, or fails.
fetch() {
  fetch_status=0
  git_within "$pull_seconds" fetch -q --no-recurse-submodules "$@" 2>"$dir/git" </dev/null || fetch_status=$?
  cat "$dir/git" >&2
  if [ $fetch_status = 0 ] && git_ cat-file -e "$rev^{commit}" 2>/dev/null; then return; fi
  url=$(git_ remote get-url "$1" 2>/dev/null) || url=$1
  find_git_reason
  agent=''
  if agent_is_gone; then agent=gone; fi
  case $fetch_status in
    0) fail no-revision "url=$url" "rev=$rev" "branch=$branch" ;;
    124) fail timeout "url=$url" "seconds=$pull_seconds" ;;
    *) fail fetch "exit=$fetch_status" "url=$url" "branch=$branch" "user=$user" "agent=$agent" "reason=$git_reason" "text=$(head -c 2000 "$dir/git")" ;;
  esac
}
