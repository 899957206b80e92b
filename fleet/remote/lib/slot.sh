# shellcheck shell=sh
# slot.sh: limits how many jobs do something at once on this host. A slot
# is a symbolic link whose target is the ID of the job that has it.
#
# uses: claim clock fact fail job_lives

# take_slot NAME COUNT waits until the job has one of COUNT slots, for a day at most.
take_slot() {
  mkdir -p "$state/slots"
  read_clock
  slot_until=$((now + 86400)) waited=no
  until try_slots "$1" "$2"; do
    if [ $waited = no ]; then fact awaiting "$1"; fi
    waited=yes
    sleep 1
    read_clock
    [ "$now" -lt "$slot_until" ] || fail timeout seconds=86400
  done
}

try_slots() {
  slot_number=0
  while [ "$slot_number" -lt "$2" ]; do
    slot_number=$((slot_number + 1))
    slot=$state/slots/$1.$slot_number
    if ln -s "$id" "$slot" 2>/dev/null; then return; fi
    slot_holder=$(readlink "$slot" 2>/dev/null) || continue
    if job_lives "$slot_holder"; then continue; fi
    # Only one process may remove the slot of a job that died: another could have taken it since.
    mkdir -p "$state/jobs/$slot_holder"
    claim "$state/jobs/$slot_holder/slot-$1" || continue
    if [ "$(readlink "$slot" 2>/dev/null)" = "$slot_holder" ]; then rm -f "$slot"; fi
  done
  return 1
}

# leave_slots [NAME] gives up the slots of that name, or all slots of the job.
leave_slots() {
  for slot in "$state/slots/${1:-}"*; do
    if [ "$(readlink "$slot" 2>/dev/null)" = "$id" ]; then rm -f "$slot"; fi
  done
}
