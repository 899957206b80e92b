package tui

import (
	"cmp"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// row is one host, with all that the table knows of it.
type row struct {
	*inventory.Host
	place       int // in the inventory
	status      Status
	seen        time.Time        // when it answered last; zero where it has not yet
	work        *fleet.HostState // of the run that took it last; nil where none has
	run         *fleet.State
	lost        time.Time // when the connection that the run has to it was lost, while it is
	doing       string    // what is done with it beside a run, in a word; "" is nothing
	since       time.Time
	log         pane
	begun       int   // the number in log of the first line of run
	plan        *pane // what a deploy would do; nil where nobody has asked
	generations *pane // that it has; nil too where nobody has asked
	marked      bool
	at          condition // as counted

	version uint64 // rises with every change
	drawn   string
	key     rowKey // what drawn was drawn for
}

// rowKey is all that a drawn row depends on: while it is the same, so is the row.
type rowKey struct {
	version, layout uint64
	here            bool
	clock           time.Duration
}

// condition is how a host is, in the order in which a person wants to hear of it.
type condition int

const (
	atWork condition = iota
	broken
	offline
	ailing
	behind
	reboot
	waiting
	fine
	absent // does not answer, and need not
	unheard
	conditions // how many there are
)

func (c condition) String() string {
	return [...]string{"working", "failed", "offline", "degraded", "behind", "reboot", "waiting", "fine", "away", "unknown"}[c]
}

// trouble is why the host is not known as it is now, in a line, without its name.
func (r *row) trouble() string {
	return strings.TrimPrefix(strings.Join(strings.Fields(r.status.Err.Error()), " "), r.Name+": ")
}

// busy reports whether a run works on the host, or will.
func (r *row) busy() bool { return r.work != nil && r.work.Phase != fleet.Done }

// settled returns how the last run ended for the host, where nothing newer is known of it. A bad end stays until the next run.
func (r *row) settled() *fleet.Result {
	if r.work == nil || r.work.Result == nil {
		return nil
	}
	result := r.work.Result
	stale := r.status.Time.After(r.work.Since)
	if stale && (result.Outcome.Good() || result.Outcome == fleet.Unreachable || result.Outcome == fleet.Unknown || result.Outcome == fleet.Cancelled) {
		return nil
	}
	return result
}

// tellsOfRun reports whether the row is about the host's part of a run.
func (r *row) tellsOfRun() bool { return r.busy() || r.settled() != nil }

// condition is how the host is now.
func (r *row) condition(t *Target) condition {
	if r.doing != "" {
		return atWork
	}
	if r.busy() {
		if r.work.Phase == fleet.Waiting {
			return waiting
		}
		return atWork
	}
	if result := r.settled(); result != nil {
		switch result.Outcome {
		case fleet.Failed, fleet.RolledBack:
			return broken
		case fleet.Degraded:
			return ailing
		case fleet.Unreachable, fleet.Unknown:
			return offline
		case fleet.RebootNeeded:
			return reboot
		}
		if result.Outcome.Good() && result.Outcome != fleet.Skipped {
			return fine
		}
	}
	h := r.status.Health
	switch {
	case r.status.Time.IsZero():
		return unheard
	case !r.status.Reachable && r.SkipOffline:
		return absent
	case !r.status.Reachable:
		return offline
	case h == nil:
		return unheard
	case len(h.FailedUnits) > 0:
		return ailing
	case t.Revision != "" && h.System.Revision != "" && h.System.Revision != t.Revision:
		return behind
	case h.System.RebootNeeded || h.System.BootPending:
		return reboot
	case t.Revision != "" && h.System.Revision == "":
		return unheard // nobody is called fine on a guess
	}
	return fine
}

// revision is the commit that the host runs, as far as it is known, and the generation.
func (r *row) revision() (rev string, generation int) {
	if h := r.status.Health; h != nil && (r.work == nil || r.status.Time.After(r.work.Since)) {
		return h.System.Revision, h.System.Generation
	}
	if r.work != nil && r.work.Result != nil {
		rev, generation = cmp.Or(r.work.Result.After, r.work.Result.Before), r.work.Result.Generation
	}
	if h := r.status.Health; h != nil {
		rev, generation = cmp.Or(rev, h.System.Revision), cmp.Or(generation, h.System.Generation)
	}
	return rev, generation
}

// clock is what the row's time cell shows, coarse enough that a row at rest is drawn anew once a minute.
func (r *row) clock(now time.Time, calm bool) time.Duration {
	d, step := now.Sub(r.since), time.Second
	switch {
	case r.doing != "":
	case r.tellsOfRun():
		d, _ = elapsed(r.work, now)
	case r.seen.IsZero():
		return -1
	default:
		d, step = now.Sub(r.seen), time.Minute
	}
	if calm {
		step = time.Minute
	}
	return d.Truncate(step)
}

// look is the host's state as an ink, a mark and a word.
func (r *row) look(b *brush, t *Target) (ink Ink, mark, word string) {
	p := &b.palette
	switch {
	case r.doing != "":
		return p.Busy, "▸", r.doing
	case r.tellsOfRun():
		return b.status(r.work)
	}
	switch c := r.at; c {
	case offline:
		return p.Bad, "?", c.String()
	case absent:
		return p.Faint, "-", c.String()
	case ailing:
		return p.Warn, "!", c.String()
	case behind:
		return p.Warn, "↓", c.String()
	case reboot:
		return p.Warn, "↻", c.String()
	case unheard:
		return p.Faint, "·", c.String()
	default:
		return p.Good, "✓", c.String()
	}
}
