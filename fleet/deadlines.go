package fleet

import (
	"time"

	"github.com/markus-barta/nixfleet/fleet/inventory"
)

const (
	grace  = 30 * time.Second
	goWait = 24 * time.Hour // how long a job that is built waits for the word to go on
)

// allowance is how long a host may be in a step before nothing is expected of it any more: what the job allows itself, and a
// grace for the job to say so. Between two steps there is the grace alone.
func allowance(t inventory.Timeouts, s Step) time.Duration {
	switch s {
	case Connect:
		return t.Connect + grace
	case Preflight:
		return t.Preflight + grace
	case Pull:
		return t.Pull + grace
	case Build:
		return t.Build + grace
	case Activate:
		return t.Activate + grace
	case Verify:
		return t.Verify + grace
	}
	return grace
}

// allowance is that of the host as it is now. One that nobody confirms takes as long to go back as it may take to activate.
func (w *worker) allowance() time.Duration {
	switch {
	case w.step == Confirm:
		return w.confirmTimeout() + w.host.Timeouts.Activate + grace
	case w.step == "" && w.awaiting:
		return goWait + grace
	}
	return allowance(w.host.Timeouts, w.step)
}

// expect sets the deadline of a step that begins, or, with "", of the next one's beginning.
func (w *worker) expect(s Step) {
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
