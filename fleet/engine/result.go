package engine

import (
	"context"
	"fmt"
	"slices"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/change"
)

// conclude makes the host's result from the job's end marker, the checks of a switched host and, if
// the run has them as a gate, the repository's tests.
func (w *worker) conclude(ctx context.Context) sessionEnd {
	result := w.jobResult()
	if w.serves != nil {
		return finishedWith(result)
	}
	// A host that could not go back has its problem: what a login adds would hide it.
	if w.activated() && result.Code != fleet.CodeRollbackFailed && slices.Contains([]fleet.Outcome{fleet.Switched, fleet.RebootNeeded, fleet.Degraded}, result.Outcome) {
		w.startChecks(ctx)
		problem := w.checks.wait(min(settleTime, w.host.Timeouts.Verify))
		w.checks = nil
		if ctx.Err() != nil {
			return finishedWith(nil)
		}
		degrade(result, problem)
	}
	if w.start.Test && result.Outcome.Good() {
		problem, lost := w.runRepoTests(ctx)
		switch {
		case ctx.Err() != nil:
			return finishedWith(nil)
		case lost != nil:
			return sessionEnd{lost: lost}
		}
		degrade(result, problem)
	}
	if w.log.verified != nil {
		ok := *w.log.verified && result.Outcome != fleet.Degraded
		w.emitOnce(fleet.Event{Type: fleet.StepFinished, Step: fleet.Verify, OK: &ok})
	}
	if w.gate.calledOff != nil && result.Outcome == fleet.Cancelled {
		result = w.gate.calledOff
	}
	return finishedWith(result)
}

// jobResult returns the result that the job's end marker gives.
func (w *worker) jobResult() *fleet.Result {
	end := w.log.end
	o := fleet.Outcome(end.Word)
	if !slices.Contains(fleet.Outcomes, o) {
		return w.unknown(fleet.CodeProtocol, fmt.Sprintf("the job ended with the outcome %q, which this version does not know", end.Word))
	}
	r := &fleet.Result{Outcome: o}
	if !o.Good() || o == fleet.RebootNeeded {
		r.Code, r.Reason = fleet.Code(end.Code), end.Text
		r.Hint = r.Code.Hint()
	}
	if !o.Good() {
		r.Step = fleet.Step(end.Step)
	}
	r.Changes = changesOf(r, end.Changes)
	return r
}

// changesOf returns what has changed on a host with that result. s is how what the job activated
// differs from what ran before.
func changesOf(r *fleet.Result, s *change.Set) *change.Set {
	switch {
	case s == nil, r.Code == fleet.CodeRollbackFailed:
		return nil
	case r.Outcome == fleet.RolledBack:
		s.Undone = true
		return s
	case slices.Contains([]fleet.Outcome{fleet.Switched, fleet.RebootNeeded, fleet.Degraded}, r.Outcome):
		return s
	}
	return nil
}

// degrade adds a problem that the operator's side has found, if any, to the job's own result.
func degrade(r *fleet.Result, p *problem) {
	if p == nil {
		return
	}
	reason := p.reason
	if r.Outcome == fleet.Degraded {
		reason += "; " + r.Reason
	}
	r.Outcome, r.Step, r.Code, r.Reason, r.Hint = fleet.Degraded, fleet.Verify, p.code, reason, p.code.Hint()
}

func (w *worker) unknown(code fleet.Code, reason string) *fleet.Result {
	return &fleet.Result{
		Outcome: fleet.Unknown, Step: w.clock.step, Code: code, Reason: reason,
		Hint: "settle it: fleetctl attach " + w.id,
	}
}

func (w *worker) overdue() *fleet.Result {
	reason := "the job has not started its next step in time; it continues on the host"
	if w.clock.step != "" {
		reason = fmt.Sprintf("%s takes longer than it may; it continues on the host", w.clock.step)
	}
	return w.unknown(fleet.CodeDeadline, reason)
}

func cancelledBefore(what string) *fleet.Result {
	return &fleet.Result{Outcome: fleet.Cancelled, Code: fleet.CodeCancelled, Reason: "cancelled before " + what}
}

// notStarted returns the result of a host whose run was abandoned before the host had started.
func notStarted() *fleet.Result {
	return &fleet.Result{
		Outcome: fleet.Skipped, Code: fleet.CodeInterrupted,
		Reason: "fleetctl stopped before this host started", Hint: fleet.CodeInterrupted.Hint(),
	}
}
