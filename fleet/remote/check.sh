# shellcheck shell=sh
# check.sh: checks everything on the host that a deploy depends on, also what a deploy finds out
# late. It prints facts, and a line "problem CODE KEY=VALUE..." or "warning CODE KEY=VALUE..." for
# all that it finds. It changes nothing.
#
# uses: answer boot_id check_disk check_name describe_job encode end_answer git_within has holder
# uses: host_name linger machine nix_within origin ready redact session_end state sudo
# inputs: branch kind managed remote switch_command

main() {
  take "$@"
  read_boot_id
  read_host_name
  answer checked
  echo "user $user"
  echo "machine $(machine)"
  echo "clock $(date +%s)"
  (check_tools) || judge $?
  (check_name) || judge $?
  (check_repo) || judge $?
  (check_remote) || judge $?
  (check_daemon) || judge $?
  (check_state) || judge $?
  (check_lock) || judge $?
  (check_busy) || judge $?
  (check_root) || judge $?
  (check_disk) || judge $?
  end_answer
}

# judge STATUS exits if a check was killed, since its answer is not complete. 1 is the status of
# fail.
judge() { [ "$1" = 1 ] || exit "$1"; }

# fail CODE [KEY=VALUE...] reports a problem, and ends this check.
fail() {
  code=$1
  shift
  encode "$@"
  echo "problem $code$fields"
  exit 1
}

# warn CODE [KEY=VALUE...] reports what need not stop a deploy.
warn() {
  code=$1
  shift
  encode "$@"
  echo "warning $code$fields"
}

# check_remote asks the remote for the branch, with the credentials that a pull would have.
check_remote() {
  [ "$elsewhere" = no ] || return 0
  has git || return 0
  find_checkout
  if [ "$managed" = yes ]; then
    url=$remote origin=$remote
    if [ ! -d "$checkout" ]; then checkout=/; fi
  else
    [ -d "$checkout" ] || return 0
    find_origin
    url=$(git_ remote get-url "$origin" 2>/dev/null | redact)
    : "${url:=$origin}"
  fi
  remote_status=0
  remote_text=$(git_within 20 ls-remote "$origin" "refs/heads/$branch" 2>&1 </dev/null) || remote_status=$?
  case $remote_status:$remote_text in
    0:*refs/heads/*) ;;
    0:*) fail no-branch "url=$url" "branch=$branch" ;;
    124:*) fail timeout "url=$url" seconds=20 ;;
    *) fail fetch "exit=$remote_status" "url=$url" "branch=$branch" "user=$user" "text=$(printf '%s\n' "$remote_text" | redact | head -c 2000)" ;;
  esac
}

# check_daemon asks the store for its version. Other commands of nix do not need the daemon.
check_daemon() {
  if [ -n "$switch_command" ] || ! has nix; then return; fi
  daemon_status=0
  daemon_text=$(nix_within 15 store ping 2>&1 </dev/null) || daemon_status=$?
  case $daemon_status in
    0) ;;
    124) fail no-daemon seconds=15 ;;
    *) fail no-daemon "exit=$daemon_status" "text=$(printf '%s\n' "$daemon_text" | grep -i error | tail -n 1 | head -c 300)" ;;
  esac
}

# check_state writes a file where the directory of a job would be, or in the nearest directory that
# exists.
check_state() {
  place=$state/jobs
  until [ -d "$place/" ]; do
    if [ -e "$place" ]; then fail no-home "path=$place"; fi
    place=${place%/*}
  done
  place=$place/.fleetctl-check.$$
  state_status=0
  (umask 077 && echo "$boot_id" >"$place") 2>/dev/null || state_status=1
  rm -f "$place"
  [ $state_status = 0 ] || fail no-home "path=$state/jobs"
}

check_lock() {
  find_holder || return 0
  # shellcheck disable=SC2046 # several words
  fail locked $(describe_job "$holder")
}

check_root() {
  if [ "$(id -u)" = 0 ]; then return; fi
  if [ "$kind" = home ] || [ -n "$switch_command" ]; then
    # Otherwise root starts the job.
    if ! lingers && ends_with_session; then warn login-end "user=$user"; fi
    return
  fi
  find_root_program || fail no-sudo "with=$root_by"
  prompt=''
  as_root /bin/sh -c :
  [ $root_status != 0 ] || return 0
  root_text=$(printf %s "$root_output" | head -c 300)
  case $root_program:$root_output in
    */doas:* | */run0:*) fail no-root "with=${root_program##*/}" "user=$user" "text=$root_text" ;;
    *password* | *'authentication is required'*) warn sudo-password "text=$root_text" ;;
    *) fail sudo-denied "text=$root_text" ;;
  esac
}
