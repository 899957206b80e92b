package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/record"
	"github.com/markus-barta/nixfleet/internal/clean"
)

// rollBack rolls the hosts of a failed wave back. That is a run of its own, with its own record and
// jobs, because a host has one job per run. Its events are passed on in this run and decide the
// hosts' outcomes. A cancelled run rolls nothing back.
func (s *scheduler) rollBack(ctx context.Context, hosts []*inventory.Host) {
	if s.start.OnFailure != fleet.OnFailureRollback || len(hosts) == 0 {
		return
	}
	defer func() { s.abandoned = s.abandoned || ctx.Err() != nil }()
	switch {
	case ctx.Err() != nil: // the process that attaches rolls back
		return
	case s.cancelled():
		s.logLine("", fleet.StreamWarn, s.policy.reason()+"; not rolled back, because the run was cancelled")
		return
	case s.accept.Err() != nil:
		s.logLine("", fleet.StreamWarn, s.policy.reason()+"; not rolled back, because the run was interrupted")
		return
	}
	p := s.rollbackPlan(hosts)
	if _, err := s.engine.Run(ctx, p, s.relayRollback); err != nil {
		s.recordError(fmt.Errorf("the rollback of %s: %w", s.id, err))
	}
}

// rollbackPlan returns to what ran on each host before this run, which is not always the next lower
// generation: that may be one that an earlier failed run left behind.
func (s *scheduler) rollbackPlan(hosts []*inventory.Host) *fleet.Plan {
	p := &fleet.Plan{
		Fleet: s.start.Fleet, Operator: s.start.Operator, Of: s.id,
		Waves: []fleet.Wave{{Number: 1, Hosts: hosts}}, Generations: map[string]int{}, Specialisations: map[string]string{},
		Options: fleet.Options{
			Goal: fleet.GoalRollback, NoPull: true, Parallel: cap(s.slots), OnFailure: fleet.OnFailureHalt,
			Confirm: s.start.Confirm, ConfirmTimeout: s.confirmTimeout(),
		},
	}
	for _, h := range hosts {
		if n := s.tasks[h.Name].state.PreviousGeneration(); n > 0 {
			p.Generations[h.Name] = n
		}
		p.Specialisations[h.Name] = s.tasks[h.Name].state.PreviousSpecialisation()
	}
	if s.start.Goal == fleet.GoalBoot {
		if len(p.Generations) == len(hosts) {
			p.Goal = fleet.GoalBoot // the new configuration does not run yet
		} else {
			p.Confirm = fleet.ConfirmOperator
		}
	}
	return p
}

// settleRollbacks continues the runs that roll this one back, if the process that had started them
// died. Hosts that they had not started are rolled back now.
func (s *scheduler) settleRollbacks(ctx context.Context, rollbacks []*record.Record, inv *inventory.Inventory) {
	quiet := *inv
	quiet.Notify = inventory.Notify{} // the notification is about this run, not about its parts
	skipped := map[string]bool{}
	for _, rollback := range rollbacks {
		s.send(fleet.Event{Type: fleet.FactLearned, Key: fleet.FactRollback, Value: rollback.Run})
		_, err := s.engine.Attach(ctx, rollback, &quiet, func(ev fleet.Event) {
			if ev.Type != fleet.HostFinished {
				return
			}
			skipped[ev.Host] = ev.Result.Outcome == fleet.Skipped && ev.Result.Code == fleet.CodeInterrupted
			s.relayRollback(ev)
		})
		if err != nil {
			s.recordError(fmt.Errorf("the rollback of %s: %w", s.id, err))
		}
	}
	var hosts []*inventory.Host
	for _, h := range inv.Hosts {
		if skipped[h.Name] {
			hosts = append(hosts, h)
		}
	}
	s.abandoned = s.abandoned || len(rollbacks) > 0 && ctx.Err() != nil
	s.rollBack(ctx, hosts)
}

// relayRollback passes an event of the rollback's run on in this run.
func (s *scheduler) relayRollback(ev fleet.Event) {
	switch {
	case ev.Type == fleet.RunStarted:
		s.logLine("", fleet.StreamNote, fmt.Sprintf("rolling back %d hosts in run %s", len(ev.Start.Hosts), ev.Run))
		s.send(fleet.Event{Type: fleet.FactLearned, Key: fleet.FactRollback, Value: ev.Run})
	case ev.Type == fleet.HostFinished:
		s.send(fleet.Event{Type: fleet.HostFinished, Host: ev.Host, Result: s.rolledBack(s.tasks[ev.Host], *ev.Result)})
	case ev.Host != "":
		s.send(ev)
	}
}

// rolledBack turns the result of a host's rollback into its result in this run. t is nil if the
// host is not in the inventory anymore.
func (s *scheduler) rolledBack(t *hostTask, r fleet.Result) *fleet.Result {
	why := cmp.Or(s.policy.reason(), "its wave failed")
	if t != nil && t.state.Result != nil {
		if own := t.state.Result; own.Outcome == fleet.Degraded && own.Code != fleet.CodeRollback {
			why += "; " + own.Reason // keep what this host itself did
		}
	}
	r.Changes = nil // those of the rollback itself
	unwell := []fleet.Code{fleet.CodeUnits, fleet.CodeHealth, fleet.CodeLogin}
	switch {
	case r.Outcome == fleet.Unknown:
	case r.Outcome == fleet.Degraded && slices.Contains(unwell, r.Code):
		r.Outcome, r.Code = fleet.RolledBack, fleet.CodeWave
		r.Reason = clean.Line([]byte(fmt.Sprintf("%s; the previous configuration runs again, but is degraded: %s", why, r.Reason)))
	case r.Outcome.Good() && r.Outcome != fleet.Skipped:
		r.Outcome, r.Code, r.Reason, r.Hint = fleet.RolledBack, fleet.CodeWave, why, fleet.CodeWave.Hint()
	default:
		r.Reason = clean.Line([]byte(fmt.Sprintf("%s; the rollback of this host ended as %s: %s", why, r.Outcome, r.Reason)))
		r.Outcome, r.Code = fleet.Degraded, fleet.CodeRollback
	}
	if r.Outcome == fleet.RolledBack && t != nil && t.state.Result != nil && t.state.Result.Changes != nil {
		undone := *t.state.Result.Changes
		undone.Undone = true
		r.Changes = &undone
	}
	return &r
}
