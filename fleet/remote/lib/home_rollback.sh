# shellcheck shell=sh
# home_rollback.sh: activates the generation of a home that was active before.
#
# uses: notice

# run_home GENERATION runs the activation script of a home. A generation that has gen-version leaves
# its profile alone. Older ones set it themselves.
run_home() {
  if [ -e "$1/gen-version" ]; then
    "$1/activate" --driver-version 1 2>&1 </dev/null
  else
    "$1/activate" 2>&1 </dev/null
  fi
}

# roll_back_home activates $home_before.
roll_back_home() {
  if [ -z "$home_before" ]; then
    notice note first-generation
    return
  fi
  run_home "$home_before" || notice warn rollback-exit "exit=$?"
}
