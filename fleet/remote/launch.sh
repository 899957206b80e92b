# shellcheck shell=sh
# launch.sh: starts a job, unless it was already started, and prints its log. After the script,
# standard input has nothing but a sudo password, and only once fleetctl has seen the prompt.
#
# uses: boot_id describe_job detach follow kill_job lock nonce notice put refuse refuse_root state
# uses: sudo unlock
# inputs: confirm confirm_seconds goal id kind prompt steal switch_command who
# passes: job
#
# fleetctl adds two functions: write_scripts writes job.sh and root.sh to $dir, and job_takes
# reports whether job.sh declares the input of an argument.

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
    if [ $tries -gt 20 ] && ! job_lives "$id"; then rm -rf "$dir"; fi
    [ $tries -lt 300 ] || refuse no-home "path=$dir"
    sleep 0.1
  done
  prepare
  start_root
  start_job "$@"
  prune
  follow
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
  write_scripts
}

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
  if [ "$kind" = home ] || [ "$goal" = build ] || [ -n "$switch_command" ]; then return; fi
  as_root /bin/sh "$dir/root.sh" start "$dir" "$sysroot" "login_user=$(id -un)" "id=$id" "who=$who" "kind=$kind" \
    "goal=$goal" "confirm=$confirm" "confirm_seconds=$confirm_seconds"
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

# start_job ARGUMENT... starts the job in a session and a process group of its own, which no hang-up
# reaches and which a cancel can end as a whole.
start_job() {
  for argument in "$@"; do
    shift
    if job_takes "$argument"; then set -- "$@" "$argument"; fi
  done
  # shellcheck disable=SC2046 # several words
  nohup $(detach) /bin/sh "$dir/job.sh" "$dir" "$@" >>"$dir/log" 2>&1 </dev/null &
  # The job does the same, in case this launch is cut off here.
  put "$dir/pid" "$! $boot_id"
  tries=0
  until [ -e "$dir/began" ] || [ $tries = 500 ]; do
    tries=$((tries + 1))
    sleep 0.02
  done
}

# prune removes old jobs, several at a time: the operator has their logs, and each is a GC root.
prune() {
  set -- "$state/jobs"/*
  [ $# -gt 16 ] || return 0
  # shellcheck disable=SC2012 # the names are those of jobs, and ls sorts by time
  ls -1t "$state/jobs" | tail -n +9 | while read -r old; do
    if [ -e "$state/jobs/$old/result" ]; then rm -rf "${state:?}/jobs/$old"; fi
  done
}
