package engine

import (
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// goTimeout is how long a built job waits for permission to activate.
const goTimeout = 24 * time.Hour

// stepClock watches how long a host takes for a step, and whether a build is silent.
type stepClock struct {
	step     fleet.Step // the step in the job's log, or "" between two steps
	due      time.Time  // when the step is overdue
	overtime int        // sessions that started after that
	deadline *time.Timer
	quiet    *time.Timer // until a silent build is worth a warning
	flush    *time.Timer // until held-back progress is due
}

func newStepClock() stepClock {
	return stepClock{step: fleet.Connect, deadline: stoppedTimer(), quiet: stoppedTimer(), flush: stoppedTimer()}
}

func stoppedTimer() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

func (c *stepClock) stop() {
	c.deadline.Stop()
	c.quiet.Stop()
	c.flush.Stop()
}

// restart gives the current step until limit from now.
func (c *stepClock) restart(limit time.Duration) {
	c.due, c.overtime = time.Now().Add(limit), 0
	c.deadline.Reset(limit)
	c.quiet.Stop()
}

// late is called before each session, and reports whether the step has been overdue for several of
// them. A session that starts late may still show that the job has continued in time, since the
// operator may have been out of reach for long.
func (c *stepClock) late() bool {
	if time.Now().Before(c.due) {
		return false
	}
	c.overtime++
	return c.overtime > maxRetries
}

// watchQuiet restarts the wait for the next output of a build. With a limit of 0 there is none.
func (c *stepClock) watchQuiet(limit time.Duration) {
	if c.step == fleet.Build && limit > 0 {
		c.quiet.Reset(limit)
	}
}

// stepLimit returns how long a step may take before a host counts as overdue: the limit that the
// job applies itself, and some time to report it. Between two steps it is only that time.
func stepLimit(t inventory.Timeouts, s fleet.Step) time.Duration {
	switch s {
	case fleet.Connect:
		return t.Connect + t.Grace
	case fleet.Preflight:
		return t.Preflight + t.Grace
	case fleet.Pull:
		return t.Pull + t.Grace
	case fleet.Build:
		return t.Build + t.Grace
	case fleet.Activate:
		return t.Activate + t.Grace
	case fleet.Before, fleet.After:
		return t.Hooks + t.Grace
	case fleet.Verify, fleet.Copy: // of which only the end is up to the host
		return t.Verify + t.Grace
	}
	return t.Grace
}

// stepLimit returns the limit for the host as it is now. A host that is not confirmed may take as
// long to go back as to activate.
func (w *worker) stepLimit() time.Duration {
	switch {
	case w.clock.step == fleet.Confirm:
		return w.confirmTimeout() + w.host.Timeouts.Activate + w.host.Timeouts.Grace
	case w.clock.step == "" && w.supplying() && !w.supplied, w.clock.step == "" && w.waitsForOthers():
		return goTimeout + w.host.Timeouts.Grace
	case w.clock.step == "" && w.supplying():
		return maxRetries * w.host.Timeouts.Grace // the signal may have to be repeated
	case w.clock.step == "" && w.awaiting() && !w.gate.decided():
		return goTimeout + w.host.Timeouts.Grace
	case w.clock.step == "" && w.awaiting():
		return maxRetries * w.host.Timeouts.Grace // the signal may have to be repeated
	}
	return stepLimit(w.host.Timeouts, w.clock.step)
}

// waitsForOthers reports whether the job builds for another host, and waits until other builds have
// ended.
func (w *worker) waitsForOthers() bool {
	switch w.state.Facts[fleet.FactAwaiting] {
	case fleet.AwaitingBuild, fleet.AwaitingSource:
		return true
	}
	return false
}

// expect restarts the deadline for a step that has started or, with "", for the next step to start.
func (w *worker) expect(s fleet.Step) {
	w.clock.step = s
	w.clock.restart(w.stepLimit())
}

// confirmTimeout returns how long a host waits to be confirmed.
func (r *run) confirmTimeout() time.Duration {
	return time.Duration(r.start.ConfirmSeconds * float64(time.Second))
}
