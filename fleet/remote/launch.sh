# shellcheck shell=sh
# launch.sh: starts a job, unless it was already started, and prints its log. After the script,
# standard input has nothing but a sudo password, and only once fleetctl has seen the prompt.
#
# uses: boot_id describe_job detach digest environment follow job_unit kill_job linger lock nonce
# uses: notice put quote refuse refuse_root root_dir root_script root_state state unlock
# inputs: confirm confirm_seconds goal id kind prompt serves steal switch_command who
# passes: job
#
# fleetctl adds functions: print_job and print_root print job.sh and root.sh, and job_takes reports
# whether job.sh declares the input of an argument.

main() {
  take "$@"
  read_boot_id
  dir=$state/jobs/$id
  trap '' HUP
  # Only their owner can enter these, whatever the umask makes of the files in them.
  # shellcheck disable=SC2174 # the directories above them are the user's
  mkdir -p -m 700 "$state" "$state/jobs" 2>/dev/null || refuse no-home "path=$state/jobs"
  tries=0
  until mkdir -m 700 "$dir" 2>/dev/null; do
    if [ -e "$dir/began" ]; then
      follow
      return
    fi
    # Another launch of this job is running, or was cut off before it started anything.
    tries=$((tries + 1))
    if may_remove; then rm -rf "$dir"; fi
    [ $tries -lt 300 ] || refuse no-home "path=$dir"
    sleep 0.1
  done
  prepare
  write_job "$@"
  start_root
  start_job
  prune
  follow
}

# may_remove reports whether the launch that made the directory was cut off, and keeps its job from
# starting later. Root may still be about to start the job, which takes seconds on a slow machine.
may_remove() {
  patience=20
  if [ -e "$dir/root" ]; then patience=200; fi
  [ $tries -gt $patience ] && ! job_lives "$id" || return 1
  ln -s launch "$dir/claim" 2>/dev/null || [ "$(readlink "$dir/claim")" = launch ]
}

# prepare takes the lock and writes the files of the job.
prepare() {
  printf '%s %s\n' "$$" "$boot_id" >"$dir/pid" || refuse no-home "path=$dir"
  printf '%s\n' "$who" >"$dir/who"
  date +%s >"$dir/since"
  echo launch >"$dir/steps"
  printf '%s\n' "$kind" >"$dir/kind"
  draw_nonce
  printf '%s\n' "$nonce" >"$dir/nonce"
  : >"$dir/log"
  # A job that builds for another host changes nothing here.
  if [ -n "$serves" ]; then
    printf '%s\n' "$serves" >"$dir/serves"
    return
  fi
  holder='' stolen=''
  until lock "$id"; do
    described=$(describe_job "$holder")
    if [ "$steal" = yes ] && [ -z "$(kill_other "$holder")" ]; then
      stolen=$holder
      notice warn lock-stolen "job=$stolen" >>"$dir/log"
      continue
    fi
    give_up
    # shellcheck disable=SC2086 # several words
    refuse locked $described
  done
  if [ "$holder" != "$stolen" ]; then notice warn lock-stale "job=$holder" >>"$dir/log"; fi
}

# write_job ARGUMENT... writes job.sh. Its arguments are in the script itself, because others can
# read those of a process, and it restores the environment of the login, which a unit does not have.
write_job() (
  umask=$(umask)
  umask 077
  print_environment >"$dir/environment"
  {
    quote "$dir"
    printf 'dir=%s\n' "$quoted"
    cat <<'HEAD'
# Only one process can be the job, and none once a later launch has given up on it.
ln -s job "$dir/claim" 2>/dev/null || exit 0
exec >>"$dir/log" 2>&1 </dev/null
# Those of a unit are not the login's.
unset INVOCATION_ID JOURNAL_STREAM MEMORY_PRESSURE_WATCH MEMORY_PRESSURE_WRITE SYSTEMD_EXEC_PID
. "$dir/environment"
rm -f "$dir/environment"
HEAD
    quote "$PWD"
    printf 'cd %s\numask %s\n' "$quoted" "$umask"
    quote "$dir"
    printf 'set -- %s' "$quoted"
    for argument in "$@"; do
      if job_takes "$argument"; then
        quote "$argument"
        printf ' %s' "$quoted"
      fi
    done
    echo
    print_job
  } >"$dir/job.sh"
)

# kill_other JOB kills another job, or prints what keeps it from doing so. It needs a subshell
# because it changes the variables of the job.
kill_other() {
  id=$1 dir=$state/jobs/$1
  kill_job || echo "$obstacle"
}

# give_up removes all traces of a job that did not start.
give_up() {
  unlock "$id"
  rm -rf "$dir"
}

# start_root starts the root half. It does so now because now the operator can type a password.
start_root() {
  case $kind:$goal in
    home:* | *:build | *:pull) return ;;
  esac
  if [ -n "$switch_command" ]; then return; fi
  find_root_state
  draw_key
  put "$dir/root" "$root_state/jobs/$id/$key"
  compose_root
  (umask 077 && print_whole_root >"$dir/root.sh")
  digest=$(print_whole_root | digest)
  run_root_script
  case $root_status in
    0) ;;
    75)
      give_up
      refuse busy "job=$(printf '%s\n' "$root_output" | tail -n 1)"
      ;;
    *)
      give_up
      refuse_root
      ;;
  esac
}

# draw_key sets $key to a word that other users cannot guess.
draw_key() {
  job_nonce=$nonce
  draw_nonce
  key=$nonce nonce=$job_nonce
}

# compose_root sets $root_head to the first line of root.sh, which has its arguments.
compose_root() {
  root_head='set -- "$@"'
  for argument in "confirm=$confirm" "confirm_seconds=$confirm_seconds" "dir=$dir" "goal=$goal" "id=$id" "key=$key" \
    "kind=$kind" "launcher=$$" "login_user=$(id -un)" "nonce=$nonce"; do
    quote "$argument"
    root_head="$root_head $quoted"
  done
}

print_whole_root() {
  printf '%s\n' "$root_head"
  print_root
}

# start_job starts the user half, unless the root half has. Without systemd, or for a user whose
# systemd ends with the login, it gets a session and a process group of its own, which no hang-up
# reaches and which a cancel can end as a whole.
start_job() {
  find_root_dir
  if [ ! -e "$root_dir/unit" ] && ! start_unit 2>/dev/null; then
    # shellcheck disable=SC2046 # several words
    $(detach) /bin/sh "$dir/job.sh" >/dev/null 2>&1 </dev/null &
    # The job does the same, in case this launch is cut off here.
    put "$dir/pid" "$! $boot_id"
  fi
  tries=0
  until [ -e "$dir/began" ] || [ $tries = 500 ]; do
    tries=$((tries + 1))
    sleep 0.02
  done
}

# start_unit starts the user half as a unit, or fails.
start_unit() {
  [ -d "$sysroot/run/systemd/system" ] && has systemd-run || return 1
  if [ "$(id -u)" = 0 ]; then
    start_job_unit
  elif lingers; then
    XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/run/user/$(id -u)} start_job_unit --user
  else
    return 1
  fi
}

# prune removes old jobs, several at a time: the operator has their logs, and each is a GC root. Not
# what was built for another host a short time ago, since it may still be copied.
prune() {
  set -- "$state/jobs"/*
  [ $# -gt 16 ] || return 0
  # shellcheck disable=SC2012 # the names are those of jobs, and ls sorts by time
  ls -1t "$state/jobs" | tail -n +9 | while read -r old; do
    if [ -e "$state/jobs/$old/serves" ] && [ -n "$(find "$state/jobs/$old/result" -mmin -1440 2>/dev/null)" ]; then continue; fi
    if [ -e "$state/jobs/$old/result" ]; then rm -rf "${state:?}/jobs/$old"; fi
  done
}
