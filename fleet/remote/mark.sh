# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154
# mark.sh: what a job says of itself in its log, and its end. Standard output is the log.

# mark WORD...: the one place that prints markers.
mark() { printf '%s %s\n' "$nonce" "$*"; }

fact() { one_line "$2" && mark fact "$1" "$line"; }
note() { one_line "$1" && mark note "$line"; }
warn() { one_line "$1" && mark warn "$line"; }

# begin STEP, done_with STEP
begin() {
  step=$1
  if [ -n "${dir:-}" ]; then echo "$step" >>"$dir/steps"; fi
  mark step "$step" start
}
done_with() { mark step "$1" ok; }

# put NAME WORDS...: a file of the job's, whole or not at all.
put() {
  put_name=$1
  shift
  [ -n "${dir:-}" ] || return 0
  printf '%s\n' "$*" >"$dir/$put_name.new"
  mv -f "$dir/$put_name.new" "$dir/$put_name"
}

# fail CODE TEXT: the step did not succeed, and nothing changed.
fail() {
  mark step "$step" failed
  finish failed "$1" "$2"
}

# finish OUTCOME CODE TEXT: the job's end. The host is free before anybody hears of it.
finish() {
  trap - EXIT TERM
  one_line "$3"
  finish_words="$1 $2 $step $line"
  if [ -n "${dir:-}" ]; then
    put result "$finish_words"
    unlock "$id"
  fi
  mark end "$finish_words"
  exit 0
}
