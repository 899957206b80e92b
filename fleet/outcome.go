package fleet

// fails reports whether an outcome speaks against going on. A host that could not be reached does not: nothing happened to it.
func (o Outcome) Fails() bool { return !o.Good() && o != Unreachable }

// Outcome is how a host's part of a run ended. The zero value means that it has not.
type Outcome string

const (
	Unchanged    Outcome = "unchanged"     // it already was what it should be
	Switched     Outcome = "switched"      // it runs the new configuration, and everything asked of it was seen working
	Built        Outcome = "built"         // --goal build: the new configuration is there, not activated
	Pulled       Outcome = "pulled"        // pull: the checkout has moved to the revision, and nothing else has
	RebootNeeded Outcome = "reboot-needed" // the new configuration takes effect, or takes full effect, at the next boot
	Degraded     Outcome = "degraded"      // it runs the new configuration, but units, health checks, tests or a new login failed
	Failed       Outcome = "failed"        // nothing changed
	RolledBack   Outcome = "rolled-back"   // it was switched and is back on what ran before
	Cancelled    Outcome = "cancelled"     // ended on request before activation
	Skipped      Outcome = "skipped"       // not begun, and Reason says why
	Unreachable  Outcome = "unreachable"   // nothing answered, so nothing was begun
	Unknown      Outcome = "unknown"       // begun, then out of reach or out of time; the next contact settles it
)

// Outcomes lists every outcome in the order in which a summary names them.
var Outcomes = []Outcome{Switched, RebootNeeded, Built, Pulled, Unchanged, Degraded, RolledBack, Failed, Cancelled, Unreachable, Unknown, Skipped}

// Terminal reports whether nothing more will be heard: every outcome but unknown, which an attach can still settle.
func (o Outcome) Terminal() bool { return o != "" && o != Unknown }

// Good reports whether the host is as the operator wanted it.
func (o Outcome) Good() bool {
	switch o {
	case Unchanged, Switched, Built, Pulled, RebootNeeded, Skipped:
		return true
	}
	return false
}

// Exit codes of the command, for a whole run. 2 (usage or inventory) and 4 (drift) are not a run's to give.
const (
	ExitOK          = 0
	ExitFailed      = 1
	ExitUsage       = 2
	ExitUnreachable = 3
	ExitDrift       = 4
	ExitInterrupted = 130
)
