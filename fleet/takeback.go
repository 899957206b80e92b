package fleet

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/clean"
)

// takeBack rolls hosts of a failed wave back. That is a run of its own, with its own record and jobs; what happens in it is told in this one,
// too, and decides the hosts' outcomes. Once the run was cancelled, none is begun: it is a part of it.
func (r *run) takeBack(ctx, begin context.Context, hosts []*inventory.Host, parts map[string]*part) {
	if r.start.OnFailure != OnFailureRollback || len(hosts) == 0 {
		return
	}
	defer func() { r.left = r.left || ctx.Err() != nil }()
	switch {
	case ctx.Err() != nil: // whoever attaches does it
		return
	case r.cancelled():
		r.say("", streamWarn, r.policy.reason()+"; it is not rolled back, since the run was cancelled")
		return
	case begin.Err() != nil:
		r.say("", streamWarn, r.policy.reason()+"; it is not rolled back, since the run was interrupted")
		return
	}
	p := &Plan{
		Fleet: r.start.Fleet, Operator: r.start.Operator, Waves: []Wave{{Number: 1, Hosts: hosts}}, Of: r.id, Generations: map[string]int{},
		Options: Options{
			Goal: GoalRollback, NoPull: true, Parallel: cap(r.slots), OnFailure: OnFailureHalt,
			Confirm: r.start.Confirm, ConfirmTimeout: time.Duration(r.start.ConfirmSeconds * float64(time.Second)),
		},
	}
	for _, h := range hosts {
		if to := parts[h.Name].to; to > 0 {
			p.Generations[h.Name] = to
		}
	}
	switch {
	case r.start.Goal != GoalBoot:
	case len(p.Generations) == len(hosts):
		p.Goal = GoalBoot // nothing is run that did not run
	default:
		p.Confirm = ConfirmOperator
	}
	if _, err := r.engine.Run(ctx, p, func(ev Event) { r.retell(parts, ev) }); err != nil {
		r.complain(fmt.Errorf("the rollback of %s: %w", r.id, err))
	}
}

// settleRollback goes on with the runs that take hosts of this one back, where the operator's side left in the middle of that. What they had
// not begun with is begun.
func (r *run) settleRollback(ctx, begin context.Context, rollbacks []*Record, inv *inventory.Inventory, parts map[string]*part) {
	quiet := *inv
	quiet.Notify = inventory.Notify{} // whoever hears of a run hears of this one, not of its parts
	left := map[string]bool{}
	for _, rollback := range rollbacks {
		r.events <- Event{Type: FactLearned, Key: FactRollback, Value: rollback.Run}
		_, err := r.engine.Attach(ctx, rollback, &quiet, func(ev Event) {
			if ev.Type != HostFinished {
				return
			}
			left[ev.Host] = ev.Result.Outcome == Skipped && ev.Result.Code == codeInterrupted
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
func (r *run) retell(parts map[string]*part, ev Event) {
	switch {
	case ev.Type == RunStarted:
		r.say("", streamNote, fmt.Sprintf("rolling %d hosts back, as run %s", len(ev.Start.Hosts), ev.Run))
		r.events <- Event{Type: FactLearned, Key: FactRollback, Value: ev.Run}
	case ev.Type == HostFinished:
		r.events <- Event{Type: HostFinished, Host: ev.Host, Result: r.takenBack(parts[ev.Host], *ev.Result)}
	case ev.Host != "":
		r.events <- ev
	}
}

// takenBack is what the result of a host's rollback means for the run that it belonged to.
func (r *run) takenBack(p *part, of Result) *Result {
	why := cmp.Or(r.policy.reason(), "its wave failed")
	if p != nil && p.result != nil && p.result.Outcome == Degraded && p.result.Code != codeRollback {
		why += "; " + p.result.Reason // what the host itself did is not to be lost
	}
	switch {
	case of.Outcome == Unknown:
	case of.Outcome == Degraded && slices.Contains([]string{"units", codeHealth, codeLogin}, of.Code): // it runs what it ran, and that is not well
		of.Outcome, of.Code, of.Reason = RolledBack, codeWave, clean.Line([]byte(fmt.Sprintf("%s; what ran before runs again, but is degraded: %s", why, of.Reason)))
	case of.Outcome.Good() && of.Outcome != Skipped:
		of.Outcome, of.Code, of.Reason, of.Hint = RolledBack, codeWave, why, "mend that, then deploy again"
	default:
		of.Reason = clean.Line([]byte(fmt.Sprintf("%s; it was to be rolled back, and that ended as %s: %s", why, of.Outcome, of.Reason)))
		of.Outcome, of.Code = Degraded, codeRollback
	}
	return &of
}
