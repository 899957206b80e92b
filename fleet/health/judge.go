package health

import (
	"slices"
	"strings"
	"time"
)

// Reach is how far the last attempt to ask a host got.
type Reach int

const (
	NotAsked Reach = iota // no attempt was made, or this machine could not make one
	Answered              // the host let fleetctl in
	Offline               // nothing answered
	Refused               // the host answered, but did not let fleetctl in or is not trusted
)

// CodeHostKeyUnknown is the code of a host that is refused because no known_hosts file has its key.
const CodeHostKeyUnknown = "host-key-unknown"

// Contact is the result of the last attempt to ask a host.
type Contact struct {
	Reach  Reach
	Code   string // why the host was refused: "host-key-unknown", "host-key-changed", "auth", ...
	Reason string // what went wrong, in a line; "" if nothing did
}

// Observation is what was last seen of a host. Its times are those of the operator's clock, taken
// before the host was asked.
type Observation struct {
	Contact

	Time time.Time // of the last attempt; zero before the first
	// the last known facts; nil if there are none. They are old if the last attempt failed
	Health    *Health
	FactsTime time.Time // when Health was taken
	// when Health.Checkout was taken; an agent's answer comes with an older checkout
	CheckoutTime time.Time
	OtherAgent   bool // the host's agent speaks another version of the API
}

// Activity says whether a run, or another operation, is changing a host now.
type Activity int

const (
	Idle    Activity = iota
	Waiting          // for its wave, or for other hosts
	Working
)

// Work is what is being done to a host now.
type Work struct {
	Activity Activity
	Step     string // the current step of a run, as in fleet.Step; "" if there is none
}

// Evidence is everything that [Judge] considers.
type Evidence struct {
	Seen      Observation
	Target    Target
	OfflineOK bool     // the inventory allows the host to be offline
	LastRun   *LastRun // nil if there is none
	Work      Work
}

// Judgement is the state of a host, decided once for everything that shows it.
type Judgement struct {
	State  State
	Reason string // why State is not [StateCurrent], in a line; it may be ""
	Drift  Drift

	Git, Lock, System, Agent Cell

	Revision   string // the commit that the host runs; "" if it is unknown
	Generation int    // 0 if it is unknown
	Behind     int    // how many commits the checkout is known to lack

	LastRun *LastRun // the last run, while its outcome stands; nil otherwise
}

// State is the state of a host in a word. States are ordered by how much they matter to an
// operator.
type State int

const (
	StateWorking     State = iota // a run is changing the host
	StateFailed                   // its last run failed or was rolled back
	StateUnknownKey               // no known_hosts file has its host key
	StateRefused                  // it answers, but does not let fleetctl in or is not trusted
	StateOffline                  // nothing answers
	StateDegraded                 // units failed, or its last run left it degraded
	StateDiverged                 // its checkout has commits that were not pushed
	StateDirty                    // its checkout has uncommitted changes
	StateWrongBranch              // its checkout is on another branch, or on trial
	StateBehind                   // its checkout or its running system is not at the target
	StateReboot                   // its system takes full effect at the next boot
	StateOtherLock                // its flake.lock is not the target's
	StateWaiting                  // a run has not started on it yet
	StateUnknown                  // there is too little evidence
	StateCurrent                  // nothing differs from the target
	StateAway                     // nothing answers, which the inventory allows

	NumStates // how many states there are
)

// String returns the word that the table and status print.
func (s State) String() string {
	return [NumStates]string{
		"working", "failed", "unknown key", "refused", "offline", "degraded", "diverged", "dirty", "branch", "behind",
		"reboot", "lock", "waiting", "unknown", "current", "away",
	}[s]
}

// Cell is the state of one aspect of a host.
type Cell int

const (
	CellUnknown Cell = iota
	CellGood
	CellBehind // it is not at the target yet, or another boot is needed
	CellBroken // an operator has to act
	CellBusy   // a run is changing it
	CellNone   // it does not exist

	NumCells // how many there are
)

// Judge decides the state of a host.
//
// The newer of two contradicting pieces of evidence counts: a run that ended well replaces the
// facts that were taken before its end, and later facts replace its outcome. A failed, rolled-back
// or degraded run is not replaced by facts; it stands until the next run.
func Judge(e Evidence) Judgement {
	e.applyLastRun()
	if e.LastRun != nil && (e.Work.Activity != Idle || !e.LastRun.Stands(e.Seen.Time)) {
		e.LastRun = nil
	}
	j := Judgement{Drift: Drift{}, LastRun: e.LastRun}
	if h := e.Seen.Health; h != nil {
		j.Drift = h.Drift(e.Target)
		j.Revision, j.Generation = h.System.Revision, h.System.Generation
		if c := h.Checkout; c != nil && c.Revision != e.Target.Revision {
			j.Behind = c.Behind
		}
	}
	j.State, j.Reason = e.state(j.Drift)
	j.Git, j.Lock, j.System, j.Agent = e.git(j.Drift), e.lock(j.Drift), e.system(j.Drift), e.agent()
	return j
}

// state returns the first state that the evidence supports, and why.
func (e *Evidence) state(d Drift) (State, string) {
	contact := &e.Seen.Contact
	switch {
	case e.Work.Activity == Working:
		return StateWorking, ""
	case e.Work.Activity == Waiting:
		return StateWaiting, ""
	case e.LastRun.failed():
		return StateFailed, join(e.LastRun.reason(), contact.Reason, d.String())
	case contact.Reach == Refused && contact.Code == CodeHostKeyUnknown:
		return StateUnknownKey, contact.Reason
	case contact.Reach == Refused:
		return StateRefused, contact.Reason
	case contact.Reach == Offline && e.OfflineOK:
		return StateAway, contact.Reason
	case contact.Reach == Offline:
		return StateOffline, contact.Reason
	case e.LastRun.is(outcomeDegraded):
		return StateDegraded, join(e.LastRun.reason(), d.String())
	case e.LastRun.is(outcomeUnknown):
		return StateUnknown, e.LastRun.reason()
	case contact.Reason != "", e.Seen.Health == nil:
		return StateUnknown, contact.Reason
	case len(d) > 0:
		return d.state(), d.String()
	case e.Target.Revision == "":
		return StateUnknown, "target commit unknown"
	}
	return StateCurrent, ""
}

// state returns the state that matters most of those that the differences amount to.
func (d Drift) state() State {
	worst := StateUnknown
	for _, one := range d {
		worst = min(worst, one.Code.state())
	}
	return worst
}

func (c Code) state() State {
	switch c {
	case UnitsFailed:
		return StateDegraded
	case Ahead, Diverged:
		return StateDiverged
	case Dirty:
		return StateDirty
	case WrongBranch, OnTrial:
		return StateWrongBranch
	case Behind, Outdated:
		return StateBehind
	case OtherLock:
		return StateOtherLock
	case RebootNeeded, BootPending:
		return StateReboot
	}
	return StateUnknown
}

// git returns the state of the checkout. While a run is changing the host, the checkout may look
// modified without being so.
func (e *Evidence) git(d Drift) Cell {
	switch h := e.Seen.Health; {
	case e.workingOn("pull"):
		return CellBusy
	case h == nil || h.Checkout == nil:
		return CellUnknown
	case e.Work.Activity == Idle && d.Has(Dirty, WrongBranch, Ahead, Diverged):
		return CellBroken
	case d.Has(Behind, Ahead, Diverged, OnTrial):
		return CellBehind
	case e.Target.Revision == "":
		return CellUnknown
	}
	return CellGood
}

// lock compares the host's flake.lock with the target's.
func (e *Evidence) lock(d Drift) Cell {
	switch h := e.Seen.Health; {
	case h == nil || h.Checkout == nil || h.Checkout.Lock == "" || e.Target.Lock == "":
		return CellUnknown
	case d.Has(OtherLock):
		return CellBehind
	}
	return CellGood
}

// system returns the state of what the host runs.
func (e *Evidence) system(d Drift) Cell {
	switch {
	case e.workingOn("build", "copy", "before", "activate", "after", "verify", "confirm"):
		return CellBusy
	case e.LastRun.failed(), e.LastRun.is(outcomeDegraded), d.Has(UnitsFailed):
		return CellBroken
	case e.LastRun.is(outcomeUnknown), e.Seen.Health == nil:
		return CellUnknown
	case d.Has(RebootNeeded, BootPending, Outdated):
		return CellBehind
	case d.Has(Unknown), e.Target.Revision == "":
		return CellUnknown
	}
	return CellGood
}

// agent returns whether the host's health agent answers.
func (e *Evidence) agent() Cell {
	switch h := e.Seen.Health; {
	case e.Seen.Reach == NotAsked:
		return CellUnknown
	case e.Seen.Reach != Answered:
		return CellBroken
	case e.Seen.OtherAgent:
		return CellBehind
	case h == nil || h.Agent == "":
		return CellNone
	}
	return CellGood
}

func (e *Evidence) workingOn(steps ...string) bool {
	return e.Work.Activity == Working && slices.Contains(steps, e.Work.Step)
}

// join joins the texts that are not empty.
func join(texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(text string) bool { return text == "" }), "; ")
}
