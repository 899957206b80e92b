# shellcheck shell=sh
# job_lives.sh: checks for the process of a job.
#
# uses: process

# job_lives JOB reports whether the process of the job lives. It sets $job_pid and $job_boot.
job_lives() {
  job_pid='' job_boot=''
  read -r job_pid job_boot <"$state/jobs/$1/pid" 2>/dev/null || return 1
  process_lives "$job_pid" "$job_boot" "$1"
}
