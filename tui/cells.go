package tui

import "github.com/markus-barta/nixfleet/fleet"

// cell is one of a row's small signs: a glyph that means the same in every column.
type cell int

const (
	cellUnknown cell = iota
	cellFine
	cellBehind
	cellBroken
	cellBusy
	cellNone // does not apply, or is not there
)

// paintCells makes each glyph once: rows have four of them.
func paintCells(p Palette) [cellNone + 1]string {
	return [...]string{
		cellUnknown: p.Faint.Paint("?"),
		cellFine:    p.Good.Paint("✓"),
		cellBehind:  p.Warn.Paint("↓"),
		cellBroken:  p.Bad.Paint("✗"),
		cellBusy:    p.Busy.Paint("▸"),
		cellNone:    p.Faint.Paint("-"),
	}
}

// working is the cell of what a run is doing, and cellNone where it does something else.
func (r *row) working(steps ...fleet.Step) cell {
	if r.busy() && r.work.Phase == fleet.Working {
		for _, s := range steps {
			if r.work.Step == s {
				return cellBusy
			}
		}
	}
	return cellNone
}

// git is how the host's checkout stands to the fleet's target.
func (r *row) git(t *Target) cell {
	h := r.status.Health
	switch {
	case r.working(fleet.Pull) == cellBusy:
		return cellBusy
	case h == nil || h.Checkout == nil:
		return cellUnknown
	case (h.Checkout.Dirty || h.Checkout.Ahead > 0) && !r.busy(): // in the middle of a pull it looks as if there were changes
		return cellBroken
	case h.Checkout.Behind > 0 || t.Revision != "" && h.Checkout.Revision != t.Revision:
		return cellBehind
	}
	return cellFine
}

// lock is whether the host's flake.lock is the one that belongs to the target. lock is that one's checksum, "" where no host has it.
func (r *row) lock(lock string) cell {
	h := r.status.Health
	switch {
	case h == nil || h.Checkout == nil || h.Checkout.Lock == "" || lock == "":
		return cellUnknown
	case h.Checkout.Lock != lock:
		return cellBehind
	}
	return cellFine
}

// system is how what runs stands to the target.
func (r *row) system(t *Target) cell {
	if r.working(fleet.Build, fleet.Activate, fleet.Verify, fleet.Confirm) == cellBusy {
		return cellBusy
	}
	if result := r.settled(); result != nil {
		switch result.Outcome {
		case fleet.Switched, fleet.Unchanged: // health may be older
			return cellFine
		case fleet.RebootNeeded:
			return cellBehind
		case fleet.Unreachable, fleet.Unknown, fleet.Cancelled:
			return cellUnknown
		case fleet.Failed, fleet.RolledBack, fleet.Degraded:
			return cellBroken
		}
	}
	h := r.status.Health
	switch {
	case h == nil:
		return cellUnknown
	case len(h.FailedUnits) > 0:
		return cellBroken
	case h.System.RebootNeeded, h.System.BootPending:
		return cellBehind
	case h.System.Revision == "" || t.Revision == "":
		return cellUnknown
	case h.System.Revision != t.Revision:
		return cellBehind
	}
	return cellFine
}

// agent is who answers for the host.
func (r *row) agent() cell {
	switch h := r.status.Health; {
	case r.status.Time.IsZero():
		return cellUnknown
	case !r.status.Reachable:
		return cellBroken
	case r.status.OtherAgent != nil:
		return cellBehind
	case h == nil || h.Agent == "":
		return cellNone
	}
	return cellFine
}
