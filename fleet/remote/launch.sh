# shellcheck shell=sh
# shellcheck disable=SC2031,SC2034,SC2154
# launch.sh: starts a job, unless it was started already, and follows its log. Standard input, after the script, has nothing but a
# sudo password, and only once its prompt was seen.

main() {
  take "$@"
  know_boot
  dir=$jobs/$id
  trap '' HUP
  mkdir -p "$jobs" 2>/dev/null || refuse no-home "text=cannot make $jobs"
  tries=0
  until mkdir "$dir" 2>/dev/null; do
    if [ -e "$dir/began" ]; then
      follow
      return
    fi
    # Another launch of the same job is at it, or was cut off before it had begun anything.
    tries=$((tries + 1))
    if [ $tries -gt 20 ] && ! alive "$id"; then rm -rf "$dir"; fi
    [ $tries -lt 300 ] || refuse no-home "text=cannot make $dir"
    sleep 0.1
  done
  prepare "$@"
  start_root "login_user=$(id -un)" "$@"
  start_job "$@"
  prune
  follow
}

prepare() {
  printf '%s %s\n' "$$" "$this_boot" >"$dir/pid" || refuse no-home "text=cannot write in $dir"
  printf '%s\n' "$who" >"$dir/who"
  date +%s >"$dir/since"
  echo launch >"$dir/steps"
  printf '%s\n' "$kind" >"$dir/kind"
  draw_nonce
  printf '%s\n' "$nonce" >"$dir/nonce"
  : >"$dir/log"
  stale=''
  until lock "$id"; do
    words=$(whose "$holder")
    if [ "$steal" = yes ] && end_other "$holder"; then
      printf '%s warn the host was taken from job %s, which was ended\n' "$nonce" "$holder" >>"$dir/log"
      continue
    fi
    give_up
    # shellcheck disable=SC2086
    refuse locked $words
  done
  if [ -n "$stale" ]; then printf '%s warn the lock of job %s, which is no more, was taken over\n' "$nonce" "$stale" >>"$dir/log"; fi
  write_scripts
}

# end_other JOB: in a subshell, since ending works on the variables of that job.
# shellcheck disable=SC2030,SC2031
end_other() (
  id=$1 dir=$jobs/$1
  end_job
)

# give_up leaves nothing behind of a job that did not begin.
give_up() {
  unlock "$id"
  rm -rf "$dir"
}

# start_root starts the root half: now, because now there is somebody to type a password.
start_root() {
  if [ "$kind" = home ] || [ "$goal" = build ] || [ -n "$switch_command" ]; then return; fi
  if [ "$(id -u)" = 0 ]; then
    root_said=$(/bin/sh "$dir/root.sh" start "$dir" "$R" "$@" 2>"$dir/sudo") || :
  elif ! has sudo; then
    give_up
    refuse no-sudo
  elif [ -z "$prompt" ]; then
    root_said=$(LC_ALL=C sudo -n -- /bin/sh "$dir/root.sh" start "$dir" "$R" "$@" 2>"$dir/sudo" </dev/null) || :
  else
    root_said=$(sudo -S -k -p "$prompt" -- /bin/sh "$dir/root.sh" start "$dir" "$R" "$@") || :
  fi
  case $root_said in
    *started*) rm -f "$dir/sudo" ;;
    *busy*)
      give_up
      refuse busy "text=another job is at work on this machine: ${root_said#busy }" ;;
    *)
      said=$(head -c 300 "$dir/sudo" 2>/dev/null) || :
      give_up
      if [ -n "$prompt" ]; then refuse sudo-wrong; fi
      case $said in
        *password*) refuse sudo-password ;;
      esac
      one_line "$said"
      refuse sudo-denied "text=$line" ;;
  esac
}

# start_job detaches it: a session and a process group of its own, which no hang-up reaches, and which cancel can end as a whole.
start_job() {
  # shellcheck disable=SC2046
  nohup $(detach) /bin/sh "$dir/job.sh" "$dir" "$@" >>"$dir/log" 2>&1 </dev/null &
  # By rename: whoever finds the file empty would take the job for dead. The job does the same, should this launch be cut off here.
  printf '%s %s\n' "$!" "$this_boot" >"$dir/pid.launch"
  mv -f "$dir/pid.launch" "$dir/pid"
  tries=0
  until [ -e "$dir/began" ] || [ $tries = 500 ]; do
    tries=$((tries + 1))
    sleep 0.02
  done
}

# prune removes jobs that ended long ago, some at a time: the logs are the operator's by now, and each is a GC root.
prune() {
  set -- "$jobs"/*
  [ $# -gt 16 ] || return 0
  # shellcheck disable=SC2012
  ls -1t "$jobs" | tail -n +9 | while read -r old; do
    if [ -e "$jobs/$old/result" ]; then rm -rf "${jobs:?}/$old"; fi
  done
}
