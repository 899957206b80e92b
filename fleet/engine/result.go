package engine

import (
	"context"
	"fmt"
	"slices"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
)

// conclude makes the host's result of the job's last word, and of what the checks say of a host that was switched.
func (w *worker) conclude(ctx context.Context) verdict {
	result := w.judge()
	if w.activated && slices.Contains([]fleet.Outcome{fleet.Switched, fleet.RebootNeeded, fleet.Degraded}, result.Outcome) {
		w.beginChecks(ctx)
		wrong := w.checks.wait(min(settleTime, w.host.Timeouts.Verify))
		w.checks = nil
		if ctx.Err() != nil {
			return verdict{over: true}
		}
		degrade(result, wrong)
	}
	if w.start.Test && result.Outcome.Good() {
		wrong, lost := w.test(ctx)
		switch {
		case ctx.Err() != nil:
			return verdict{over: true}
		case lost != nil:
			return verdict{lost: lost}
		}
		degrade(result, wrong)
	}
	if w.held != nil {
		ok := *w.held && result.Outcome != fleet.Degraded
		w.tellOnce(fleet.Event{Type: fleet.StepFinished, Step: fleet.Verify, OK: &ok})
	}
	if w.off != nil && result.Outcome == fleet.Cancelled {
		result = w.off
	}
	return verdict{over: true, result: result}
}

// judge reads the end marker.
func (w *worker) judge() *fleet.Result {
	o := fleet.Outcome(w.end.Word)
	if !slices.Contains(fleet.Outcomes, o) {
		return w.unknown(fleet.CodeProtocol, fmt.Sprintf("the job ended with %q, which this fleetctl does not know", w.end.Word))
	}
	r := &fleet.Result{Outcome: o}
	switch {
	case !o.Good():
		r.Step, r.Code, r.Reason, r.Hint = fleet.Step(w.end.Step), fleet.Code(w.end.Code), w.end.Text, fleet.Code(w.end.Code).Hint()
	case o == fleet.RebootNeeded:
		r.Code, r.Reason, r.Hint = fleet.Code(w.end.Code), w.end.Text, fleet.Code(w.end.Code).Hint()
	}
	return r
}

// degrade adds what is wrong from outside to a result from inside.
func degrade(r *fleet.Result, wrong *problem) {
	if wrong == nil {
		return
	}
	reason := wrong.reason
	if r.Outcome == fleet.Degraded {
		reason += "; " + r.Reason
	}
	r.Outcome, r.Step, r.Code, r.Reason, r.Hint = fleet.Degraded, fleet.Verify, wrong.code, reason, wrong.code.Hint()
}

// beginChecks begins them, once.
func (w *worker) beginChecks(ctx context.Context) {
	if w.checks != nil {
		return
	}
	p := &prober{dialer: w.engine.Dialer, host: w.host}
	_, p.probes = host.SplitHealth(w.host.Health)
	if w.confirming() {
		p.confirms = host.JobID(w.id, w.host.Name)
	}
	w.checks = beginChecks(ctx, p)
}
