# shellcheck shell=sh
# step.sh: reports where a job is.
#
# uses: mark

# start_step STEP reports that the step starts. $step is the current step, and $dir/steps lists all
# of them for operators who find the host locked, and for settle.sh.
start_step() {
  step=$1
  echo "$step" >>"$dir/steps"
  mark step "$step" start
}

# finish_step reports that the current step is done.
finish_step() { mark step "$step" ok; }
