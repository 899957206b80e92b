# shellcheck shell=sh
# job_unit.sh: starts the user half of a job as a systemd unit, which neither the end of the login
# nor logind's KillUserProcesses can reach.

# start_job_unit OPTION... starts $dir/job.sh. Its children are left alone when it ends, as they
# would be without a unit, and it survives if one of them runs out of memory.
start_job_unit() {
  systemd-run "$@" --unit="fleetctl-job-$id" --collect --quiet --service-type=exec --property=KillMode=process \
    --property=OOMPolicy=continue --description="fleetctl job $id, user half" -- /bin/sh "$dir/job.sh"
}
