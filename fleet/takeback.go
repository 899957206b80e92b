package fleet

import (
	"cmp"
	"context"
	"fmt"

	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/clean"
)

// takeBack rolls hosts of a failed wave back. That is a run of its own, with its own record and jobs; what happens in it is told in this one,
// too, and decides the hosts' outcomes.
func (r *run) takeBack(ctx context.Context, hosts []*inventory.Host) {
	if r.start.OnFailure != OnFailureRollback || r.plan == nil || len(hosts) == 0 {
		return
	}
	p := &Plan{Fleet: r.plan.Fleet, Operator: r.plan.Operator, Options: r.plan.Options, Waves: []Wave{{Number: 1, Hosts: hosts}}, Of: r.id}
	p.Goal, p.NoPull, p.BuildFirst, p.OnFailure = GoalRollback, true, false, OnFailureHalt
	if p.Confirm == ConfirmNone && r.plan.Goal == GoalBoot {
		p.Confirm = ConfirmOperator
	}
	p.MaxFailures, p.WaitOnline = Share{}, 0
	if _, err := r.engine.Run(ctx, p, r.retell); err != nil {
		r.complain(fmt.Errorf("the rollback of %s: %w", r.id, err))
	}
}

// settleRollback goes on with the run that takes hosts of this one back, where the operator's side left in the middle of it.
func (r *run) settleRollback(ctx context.Context, run string, inv *inventory.Inventory) {
	if run == "" {
		return
	}
	quiet := *inv
	quiet.Notify = inventory.Notify{} // whoever hears of a run hears of this one, not of its part
	_, err := r.engine.Attach(ctx, r.engine.Records.at(run), &quiet, func(ev Event) {
		if ev.Type == HostFinished {
			r.retell(ev)
		}
	})
	if err != nil {
		r.complain(fmt.Errorf("the rollback of %s: %w", r.id, err))
	}
}

// retell tells what happened in the run that takes hosts of this one back.
func (r *run) retell(ev Event) {
	switch {
	case ev.Type == RunStarted:
		r.say("", streamNote, fmt.Sprintf("rolling %d hosts back, as run %s", len(ev.Start.Hosts), ev.Run))
		r.events <- Event{Type: FactLearned, Key: FactRollback, Value: ev.Run}
	case ev.Type == HostFinished:
		r.events <- Event{Type: HostFinished, Host: ev.Host, Result: r.takenBack(*ev.Result)}
	case ev.Host != "":
		r.events <- ev
	}
}

// takenBack is what the result of a host's rollback means for the run that it belonged to.
func (r *run) takenBack(of Result) *Result {
	why := cmp.Or(r.policy.reason(), "its wave failed")
	switch {
	case of.Outcome == Unknown:
	case of.Outcome.Good():
		of.Outcome, of.Code, of.Reason, of.Hint = RolledBack, codeWave, why, "mend that, then deploy again"
	default:
		of.Reason = clean.Line([]byte(fmt.Sprintf("%s; it was to be rolled back, and that ended as %s: %s", why, of.Outcome, of.Reason)))
		of.Outcome, of.Code = Degraded, codeRollback
	}
	return &of
}
