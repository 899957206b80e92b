package fleet

import (
	"context"
	"fmt"
	"slices"
)

// conclude makes the host's result of the job's last word, and of what the checks say of a host that was switched.
func (w *worker) conclude(ctx context.Context) verdict {
	result := w.judge()
	if w.activated && slices.Contains([]Outcome{Switched, RebootNeeded, Degraded}, result.Outcome) {
		w.beginChecks(ctx)
		wrong := w.checks.wait(min(settleTime, w.host.Timeouts.Verify))
		w.checks = nil
		if ctx.Err() != nil {
			return verdict{over: true}
		}
		result.degrade(wrong)
	}
	if w.start.Test && result.Outcome.Good() {
		wrong, lost := w.test(ctx)
		switch {
		case ctx.Err() != nil:
			return verdict{over: true}
		case lost != nil:
			return verdict{lost: lost}
		}
		result.degrade(wrong)
	}
	if w.held != nil {
		ok := *w.held && result.Outcome != Degraded
		w.tellOnce(Event{Type: StepFinished, Step: Verify, OK: &ok})
	}
	if w.off != nil && result.Outcome == Cancelled {
		result = w.off
	}
	return verdict{over: true, result: result}
}

// judge reads the end marker.
func (w *worker) judge() *Result {
	o := Outcome(w.end.Word)
	if !slices.Contains(Outcomes, o) {
		return w.unknown(codeProtocol, fmt.Sprintf("the job ended with %q, which this fleetctl does not know", w.end.Word))
	}
	r := &Result{Outcome: o}
	switch {
	case !o.Good():
		r.Step, r.Code, r.Reason, r.Hint = Step(w.end.Step), w.end.Code, w.end.Text, hint(w.end.Code)
	case o == RebootNeeded:
		r.Code, r.Reason, r.Hint = w.end.Code, w.end.Text, hint(w.end.Code)
	}
	return r
}

// degrade adds what is wrong from outside to a result from inside.
func (r *Result) degrade(wrong *problem) {
	if wrong == nil {
		return
	}
	reason := wrong.reason
	if r.Outcome == Degraded {
		reason += "; " + r.Reason
	}
	r.Outcome, r.Step, r.Code, r.Reason, r.Hint = Degraded, Verify, wrong.code, reason, hint(wrong.code)
}

// beginChecks begins them, once.
func (w *worker) beginChecks(ctx context.Context) {
	if w.checks != nil {
		return
	}
	p := &prober{dialer: w.engine.Dialer, host: w.host}
	_, p.probes = splitHealth(w.host.Health)
	if w.confirming() {
		p.confirms = jobID(w.id, w.host.Name)
	}
	w.checks = beginChecks(ctx, p)
}
