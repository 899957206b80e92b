# shellcheck shell=sh
# claim.sh: lets one process win a race.
#
# uses: process

# claim PATH succeeds for one process ever, and for later ones that find it dead.
claim() {
  claim_number=1
  until ln -s "$$:$boot_id" "$1.$claim_number" 2>/dev/null; do
    claimant=$(readlink "$1.$claim_number") || return 1
    if process_lives "${claimant%%:*}" "${claimant#*:}" "sh"; then return 1; fi
    claim_number=$((claim_number + 1))
  done
}
