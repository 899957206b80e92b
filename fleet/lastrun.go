package fleet

import (
	"cmp"
	"slices"

	"github.com/markus-barta/nixfleet/fleet/health"
)

// LastRun returns the outcome for a host as evidence for [health.Judge]. It is nil if there is none
// yet.
func (s *State) LastRun(host string) *health.LastRun {
	h := s.Host(host)
	if h == nil || h.Result == nil || s.Start == nil {
		return nil
	}
	r := h.Result
	last := &health.LastRun{
		Goal: s.Start.Goal, Outcome: string(r.Outcome), Step: string(r.Step), Reason: r.Reason, Time: h.Since, Generation: r.Generation,
	}
	switch r.Outcome {
	case Switched, Unchanged, RebootNeeded, Degraded:
		last.Revision = r.After
	case Built, Pulled, Failed, RolledBack, Cancelled:
		last.Revision = cmp.Or(r.After, r.Before)
	}
	if s.Start.Goal != GoalRollback && slices.Contains([]Outcome{Switched, Unchanged, RebootNeeded, Degraded, Built, Pulled}, r.Outcome) {
		last.Checkout, last.Trial = s.Start.Revision, h.Facts[factTrial]
	}
	return last
}
