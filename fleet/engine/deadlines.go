package engine

import (
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// goWait is how long a built job waits for permission to activate.
const goWait = 24 * time.Hour

// allowance is how long a host may be in a step before nothing is expected of it any more: what the job allows itself, and a
// grace for the job to say so. Between two steps there is the grace alone.
func allowance(t inventory.Timeouts, s fleet.Step) time.Duration {
	switch s {
	case fleet.Connect:
		return t.Connect + host.Grace
	case fleet.Preflight:
		return t.Preflight + host.Grace
	case fleet.Pull:
		return t.Pull + host.Grace
	case fleet.Build:
		return t.Build + host.Grace
	case fleet.Activate:
		return t.Activate + host.Grace
	case fleet.Verify:
		return t.Verify + host.Grace
	}
	return host.Grace
}

// allowance is that of the host as it is now. One that nobody confirms takes as long to go back as it may take to activate.
func (w *worker) allowance() time.Duration {
	switch {
	case w.step == fleet.Confirm:
		return w.confirmTimeout() + w.host.Timeouts.Activate + host.Grace
	case w.step == "" && w.awaiting:
		return goWait + host.Grace
	}
	return allowance(w.host.Timeouts, w.step)
}

// expect sets the deadline of a step that begins, or, with "", of the next one's beginning.
func (w *worker) expect(s fleet.Step) {
	w.step = s
	limit := w.allowance()
	w.due = time.Now().Add(limit)
	w.deadline.Reset(limit)
	w.quiet.Stop()
}

// confirmTimeout is how long the host waits to be confirmed.
func (r *run) confirmTimeout() time.Duration {
	return time.Duration(r.start.ConfirmSeconds * float64(time.Second))
}
