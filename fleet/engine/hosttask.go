package engine

import (
	"context"
	"sync"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// hostTask is one host's part of a run. Its goroutine can start before the turn of its wave and
// outlast it. While the task only waits, for other hosts to build or for its host to come online,
// other hosts have its slot.
type hostTask struct {
	host  *inventory.Host
	after *hostTask          // the task before this one on the same machine, or nil
	gate  chan *fleet.Result // takes one value: nil lets the host activate, a result calls it off

	yield   sync.Once
	yielded chan struct{} // closed once the task needs no slot
	done    chan struct{} // closed when the task has finished

	// state belongs to the worker while the task runs, and to the scheduler once done is closed.
	// Its Result stays nil if the run was abandoned.
	state *fleet.HostState
}

func (r *run) newTasks(waves []fleet.Wave) map[string]*hostTask {
	tasks := make(map[string]*hostTask)
	last := make(map[string]*hostTask) // by machine
	for _, wave := range waves {
		for _, h := range wave.Hosts {
			planned := fleet.PlannedHost{Name: h.Name, Kind: string(h.Kind), Wave: wave.Number, Builder: r.builderOf(h.Name)}
			task := &hostTask{
				host: h, after: last[h.Machine()], gate: make(chan *fleet.Result, 1), yielded: make(chan struct{}), done: make(chan struct{}),
				state: fleet.NewHostState(planned, time.Now()),
			}
			tasks[h.Name], last[h.Machine()] = task, task
		}
	}
	return tasks
}

// builderOf returns the host that builds for a host of the run, or "".
func (r *run) builderOf(name string) string {
	for _, h := range r.start.Hosts {
		if h.Name == name {
			return h.Builder
		}
	}
	return ""
}

// yieldSlot gives the task's slot to other hosts.
func (t *hostTask) yieldSlot() { t.yield.Do(func() { close(t.yielded) }) }

// finished reports whether the task is done.
func (t *hostTask) finished() bool {
	select {
	case <-t.done:
		return true
	default:
		return false
	}
}

// waitForSlot blocks until the task needs no slot.
func (t *hostTask) waitForSlot() {
	select {
	case <-t.yielded:
	case <-t.done:
	}
}

// activated reports whether a new configuration is in place on the host. The task must be done.
func (t *hostTask) activated() bool {
	if t.state.Result == nil || !t.state.Changed {
		return false
	}
	switch t.state.Result.Outcome {
	case fleet.Switched, fleet.Degraded, fleet.RebootNeeded:
		return true
	}
	return false
}

// finishBefore marks the task as done, as the record left it.
func (t *hostTask) finishBefore(h *fleet.HostState) {
	t.state = h.Clone()
	close(t.done)
}

// startTask runs a host's task in its own goroutine, unless the host must not start anymore.
func (s *scheduler) startTask(ctx, accept context.Context, t *hostTask) {
	attached := s.plan == nil
	switch skipped := s.skipResult(accept); {
	case ctx.Err() != nil, attached && accept.Err() != nil:
		s.finishTask(t, nil)
		return
	case !attached && skipped != nil:
		s.finishTask(t, skipped)
		return
	}
	s.running.Go(func() {
		w := s.newWorker(t)
		s.finishTask(t, complete(w.catchPanic(ctx, s.work), w.state, w.started))
	})
}

// finishTask reports the task's outcome. A nil result means that the run was abandoned.
func (r *run) finishTask(t *hostTask, result *fleet.Result) {
	if result != nil {
		r.policy.count(t.host.Name, result.Outcome)
		r.finishHost(t, result)
	}
	close(t.done)
}

// finishHost sends a host's outcome, which may replace an earlier one.
func (r *run) finishHost(t *hostTask, result *fleet.Result) {
	ev := fleet.Event{Type: fleet.HostFinished, Time: time.Now(), Host: t.host.Name, Result: result}
	t.state.Apply(ev)
	r.send(ev)
}

// skipResult returns the result of a host that must not start or, once it has built, must not
// activate. It returns nil if the host may proceed.
func (r *run) skipResult(accept context.Context) *fleet.Result {
	switch reason := r.policy.reason(); {
	case r.cancelled():
		return cancelledBefore("it started")
	case reason != "":
		return &fleet.Result{Outcome: fleet.Skipped, Code: fleet.CodeWave, Reason: reason, Hint: fleet.CodeWave.Hint()}
	case accept.Err() != nil:
		return &fleet.Result{Outcome: fleet.Skipped, Code: fleet.CodeInterrupted, Reason: "interrupted before it started"}
	}
	return nil
}
