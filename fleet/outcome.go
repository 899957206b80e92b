package fleet

// Outcome is how a host's part of a run ended. The zero value means that it has not ended.
//
// A host that could not return to what ran before is [Degraded], too.
type Outcome string

const (
	Unchanged    Outcome = "unchanged"     // already up to date
	Switched     Outcome = "switched"      // runs the new configuration, and all checks passed
	Built        Outcome = "built"         // goal build: built, not activated
	Pulled       Outcome = "pulled"        // goal pull: the checkout has moved to the revision
	RebootNeeded Outcome = "reboot-needed" // takes effect, or full effect, at the next boot
	Degraded     Outcome = "degraded"      // runs the new configuration, but a check failed
	Failed       Outcome = "failed"        // nothing changed
	RolledBack   Outcome = "rolled-back"   // was switched, then returned to what ran before
	Cancelled    Outcome = "cancelled"     // stopped on request before activation
	Skipped      Outcome = "skipped"       // not started; the reason says why
	Unreachable  Outcome = "unreachable"   // nothing answered, so nothing was started
	Unknown      Outcome = "unknown"       // started, then contact was lost
)

// Outcomes lists every outcome in the order in which a summary prints them.
var Outcomes = []Outcome{
	Switched, RebootNeeded, Built, Pulled, Unchanged, Degraded, RolledBack, Failed, Cancelled, Unreachable, Unknown, Skipped,
}

// Terminal reports whether the outcome is final. Every outcome is, except [Unknown].
func (o Outcome) Terminal() bool { return o != "" && o != Unknown }

// Good reports whether the host ended as the operator intended.
func (o Outcome) Good() bool {
	switch o {
	case Unchanged, Switched, Built, Pulled, RebootNeeded, Skipped:
		return true
	}
	return false
}

// Fails reports whether the outcome counts as a failure in a wave's budget. [Unreachable] does not,
// since nothing was started on such a host.
func (o Outcome) Fails() bool { return !o.Good() && o != Unreachable }

// Exit codes of fleetctl. A run ends with any of them except ExitUsage and ExitDrift.
const (
	ExitOK          = 0
	ExitFailed      = 1
	ExitUsage       = 2 // invalid command line or inventory
	ExitUnreachable = 3
	ExitDrift       = 4
	ExitInterrupted = 130
)
