package engine

import (
	"fmt"

	"github.com/markus-barta/nixfleet/fleet"
)

func (w *worker) unknown(code fleet.Code, reason string) *fleet.Result {
	return &fleet.Result{Outcome: fleet.Unknown, Step: w.step, Code: code, Reason: reason, Hint: "fleetctl attach " + w.id + " asks again"}
}

func (w *worker) overdue() *fleet.Result {
	what := "the job has been between two steps"
	if w.step != "" {
		what = fmt.Sprintf("%s has been under way", w.step)
	}
	return w.unknown(fleet.CodeDeadline, what+" for longer than it may; it goes on")
}

func cancelledBefore(what string) *fleet.Result {
	return &fleet.Result{Outcome: fleet.Cancelled, Code: fleet.CodeCancelled, Reason: "cancelled before " + what}
}

func notBegun() *fleet.Result {
	return &fleet.Result{Outcome: fleet.Skipped, Code: fleet.CodeInterrupted, Reason: "not begun when the operator's side ended", Hint: "deploy again"}
}
