# shellcheck shell=sh
# trial.sh: finds out what --rev has brought the checkout to, if that is not on the fleet's branch.
#
# uses: git
# inputs: managed

# find_trial_file sets $trial_file. Its lines are COMMIT REF; that of the current commit counts.
find_trial_file() {
  if [ "$managed" = yes ]; then
    trial_file=$checkout/.git/fleetctl-trial
    return
  fi
  trial_file=$(git_ rev-parse --git-path fleetctl-trial)
  case $trial_file in
    /*) ;;
    *) trial_file=$checkout/$trial_file ;;
  esac
}

# find_trial COMMIT sets $trial to what --rev named, if that has brought the checkout to the commit,
# or to nothing. The checkout must be on no branch.
find_trial() {
  trial=''
  find_trial_file
  [ -r "$trial_file" ] || return 0
  while read -r trial_commit trial_ref; do
    if [ "$trial_commit" = "$1" ]; then trial=$trial_ref; fi
  done <"$trial_file"
}
