package fleet

// The codes of results that are the engine's own; the others are the host's.
const (
	CodeOffline     = "offline"     // nothing answered
	CodeRefused     = "refused"     // turned away, and the Dialer has no code for it
	CodeInterrupted = "interrupted" // not begun, because the operator's side stopped
	CodeCancelled   = "cancelled"
	CodeWave        = "wave"      // not begun, because an earlier wave failed
	CodeLost        = "lost"      // out of reach for too long
	CodeDeadline    = "deadline"  // in reach, and not done in time
	CodeVanished    = "vanished"  // the job is not there any more
	CodeNoEnd       = "no-end"    // its log ends without an end
	CodeFault       = "fault"     // fleetctl broke off
	CodeProtocol    = "protocol"  // the host said what nobody understands
	CodeInventory   = "inventory" // the host is not in it any more
	CodeLogin       = "login"
	CodeHealth      = "health"
	CodeTests       = "tests"
	CodeShell       = "shell"
	CodeRollback    = "rollback" // it was to be taken back with its wave, and was not
)
