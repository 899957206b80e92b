package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/record"
	"github.com/markus-barta/nixfleet/internal/clean"
)

// takeBack rolls hosts of a failed wave back. That is a run of its own, with its own record and jobs; what happens in it is told in this one,
// too, and decides the hosts' outcomes. Once the run was cancelled, none is begun: it is a part of it.
func (r *run) takeBack(ctx, begin context.Context, hosts []*inventory.Host, parts map[string]*part) {
	if r.start.OnFailure != fleet.OnFailureRollback || len(hosts) == 0 {
		return
	}
	defer func() { r.left = r.left || ctx.Err() != nil }()
	switch {
	case ctx.Err() != nil: // whoever attaches does it
		return
	case r.cancelled():
		r.say("", fleet.StreamWarn, r.policy.reason()+"; it is not rolled back, since the run was cancelled")
		return
	case begin.Err() != nil:
		r.say("", fleet.StreamWarn, r.policy.reason()+"; it is not rolled back, since the run was interrupted")
		return
	}
	p := &fleet.Plan{
		Fleet: r.start.Fleet, Operator: r.start.Operator, Waves: []fleet.Wave{{Number: 1, Hosts: hosts}}, Of: r.id, Generations: map[string]int{},
		Options: fleet.Options{
			Goal: fleet.GoalRollback, NoPull: true, Parallel: cap(r.slots), OnFailure: fleet.OnFailureHalt,
			Confirm: r.start.Confirm, ConfirmTimeout: time.Duration(r.start.ConfirmSeconds * float64(time.Second)),
		},
	}
	for _, h := range hosts {
		if to := parts[h.Name].to; to > 0 {
			p.Generations[h.Name] = to
		}
	}
	switch {
	case r.start.Goal != fleet.GoalBoot:
	case len(p.Generations) == len(hosts):
		p.Goal = fleet.GoalBoot // nothing is run that did not run
	default:
		p.Confirm = fleet.ConfirmOperator
	}
	if _, err := r.engine.Run(ctx, p, func(ev fleet.Event) { r.retell(parts, ev) }); err != nil {
		r.complain(fmt.Errorf("the rollback of %s: %w", r.id, err))
	}
}

// settleRollback goes on with the runs that take hosts of this one back, where the operator's side left in the middle of that. What they had
// not begun with is begun.
func (r *run) settleRollback(ctx, begin context.Context, rollbacks []*record.Record, inv *inventory.Inventory, parts map[string]*part) {
	quiet := *inv
	quiet.Notify = inventory.Notify{} // whoever hears of a run hears of this one, not of its parts
	left := map[string]bool{}
	for _, rollback := range rollbacks {
		r.events <- fleet.Event{Type: fleet.FactLearned, Key: fleet.FactRollback, Value: rollback.Run}
		_, err := r.engine.Attach(ctx, rollback, &quiet, func(ev fleet.Event) {
			if ev.Type != fleet.HostFinished {
				return
			}
			left[ev.Host] = ev.Result.Outcome == fleet.Skipped && ev.Result.Code == fleet.CodeInterrupted
			r.retell(parts, ev)
		})
		if err != nil {
			r.complain(fmt.Errorf("the rollback of %s: %w", r.id, err))
		}
	}
	var hosts []*inventory.Host
	for _, h := range inv.Hosts {
		if left[h.Name] {
			hosts = append(hosts, h)
		}
	}
	r.left = r.left || len(rollbacks) > 0 && ctx.Err() != nil
	r.takeBack(ctx, begin, hosts, parts)
}

// retell tells what happened in the run that takes hosts of this one back.
func (r *run) retell(parts map[string]*part, ev fleet.Event) {
	switch {
	case ev.Type == fleet.RunStarted:
		r.say("", fleet.StreamNote, fmt.Sprintf("rolling %d hosts back, as run %s", len(ev.Start.Hosts), ev.Run))
		r.events <- fleet.Event{Type: fleet.FactLearned, Key: fleet.FactRollback, Value: ev.Run}
	case ev.Type == fleet.HostFinished:
		r.events <- fleet.Event{Type: fleet.HostFinished, Host: ev.Host, Result: r.takenBack(parts[ev.Host], *ev.Result)}
	case ev.Host != "":
		r.events <- ev
	}
}

// takenBack is what the result of a host's rollback means for the run that it belonged to.
func (r *run) takenBack(p *part, of fleet.Result) *fleet.Result {
	why := cmp.Or(r.policy.reason(), "its wave failed")
	if p != nil && p.result != nil && p.result.Outcome == fleet.Degraded && p.result.Code != fleet.CodeRollback {
		why += "; " + p.result.Reason // what the host itself did is not to be lost
	}
	switch {
	case of.Outcome == fleet.Unknown:
	case of.Outcome == fleet.Degraded && slices.Contains([]fleet.Code{fleet.CodeUnits, fleet.CodeHealth, fleet.CodeLogin}, of.Code): // it runs what it ran, and that is not well
		of.Outcome, of.Code, of.Reason = fleet.RolledBack, fleet.CodeWave, clean.Line([]byte(fmt.Sprintf("%s; what ran before runs again, but is degraded: %s", why, of.Reason)))
	case of.Outcome.Good() && of.Outcome != fleet.Skipped:
		of.Outcome, of.Code, of.Reason, of.Hint = fleet.RolledBack, fleet.CodeWave, why, "mend that, then deploy again"
	default:
		of.Reason = clean.Line([]byte(fmt.Sprintf("%s; it was to be rolled back, and that ended as %s: %s", why, of.Outcome, of.Reason)))
		of.Outcome, of.Code = fleet.Degraded, fleet.CodeRollback
	}
	return &of
}
