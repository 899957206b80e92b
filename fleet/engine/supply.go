package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

// supply gets a host what another one builds for it: it follows the job on the builder, and copies
// the result from there to the host. It runs next to the worker, whose job waits for the path, and
// outlives the worker's sessions.
//
// The worker that follows the job on the builder is one like any other, except that its events are
// those of the host that it serves.
type supply struct {
	cancel context.CancelCauseFunc
	done   chan struct{} // closed at the end

	// valid once done is closed; if both are nil, the run was abandoned
	result *fleet.Result // why there is nothing to deliver
	path   *delivery
}

// delivery is what a builder has built.
type delivery struct {
	name  string            // of the store path
	facts map[string]string // of the build, for the host
}

// errCalledOff is why a supply is stopped that its host does not need anymore.
var errCalledOff = errors.New("the host does not wait for its configuration anymore")

// startSupply starts the supply if the host's job waits for it, once.
func (w *worker) startSupply(ctx context.Context) {
	if !w.awaitsPath || w.supply != nil {
		return
	}
	run := ctx
	ctx, cancel := context.WithCancelCause(ctx)
	s := &supply{cancel: cancel, done: make(chan struct{})}
	w.supply = s
	b := w.run.inventoryHost(w.state.Builder)
	if b == nil {
		s.result = &fleet.Result{
			Outcome: fleet.Unknown, Code: fleet.CodeInventory, Hint: fleet.CodeInventory.Hint(),
			Reason: fmt.Sprintf("its builder %s is not in the inventory anymore", w.state.Builder),
		}
		close(s.done)
		return
	}
	builder := w.newBuildWorker(b)
	go func() {
		defer close(s.done)
		defer cancel(nil)
		s.result, s.path = builder.build(ctx)
		if run.Err() == nil && errors.Is(context.Cause(ctx), errCalledOff) {
			builder.callOff(ctx)
		}
	}()
}

// ended returns a channel that is closed when the supply ends, or nil if that was handled. s may be
// nil.
func (s *supply) ended(handled bool) <-chan struct{} {
	if s == nil || handled {
		return nil
	}
	return s.done
}

// stopSupply stops the supply, if there is one, and waits for it. If the host's job has ended, that
// on the builder is ended, too.
func (w *worker) stopSupply() {
	if w.supply == nil {
		return
	}
	var why error
	if w.log.end != nil {
		why = errCalledOff
	}
	w.supply.cancel(why)
	<-w.supply.done
}

// handleSupply takes what the supply has brought. If that is nothing, the host's job is called off.
func (w *worker) handleSupply() (end sessionEnd, done bool) {
	w.supplied = true
	switch s := w.supply; {
	case s.path != nil:
		for _, key := range []string{fleet.FactCommit, fleet.FactNarHash} {
			if value := s.path.facts[key]; value != "" {
				w.emitOnce(fleet.Event{Type: fleet.FactLearned, Key: key, Value: value})
			}
		}
		w.signals.path = s.path.name
	case s.result == nil:
		return finishedWith(nil), true
	case s.result.Outcome == fleet.Unknown:
		return finishedWith(s.result), true
	default:
		w.gate.calledOff = s.result
	}
	w.expect("") // a host that does not answer must not hold up the others
	return sessionEnd{}, false
}

// newBuildWorker returns the worker that follows the job on the builder.
func (w *worker) newBuildWorker(b *inventory.Host) *worker {
	planned := fleet.PlannedHost{Name: b.Name, Kind: string(b.Kind)}
	return &worker{
		run: w.run, task: w.task, host: b, state: fleet.NewHostState(planned, time.Now()), serves: &served{
			host: w.host, runs: w.state.Facts[fleet.FactBefore], system: w.state.Facts[fleet.FactSystem],
			sudo: w.sudo, recorded: w.log.recorded, replay: w.buildReplay,
		},
		started: time.Now(), freeSlot: func() {}, clock: newStepClock(),
		signals: signals{job: host.BuildJobID(w.id, w.host.Name), limit: b.Timeouts.Grace, delivered: map[signal]bool{}},
	}
}

// served is the host that a worker's job builds for.
type served struct {
	host         *inventory.Host
	runs, system string
	sudo         host.SudoPassword
	// events that an earlier owner of the run has recorded, by eventKey
	recorded map[string]bool
	replay   *hostReplay // of the log on the builder, or nil
}

// passes reports whether an event of a build is one of the host that it is for.
func (s *served) passes(ev fleet.Event) bool {
	switch ev.Type {
	case fleet.StepStarted, fleet.StepFinished:
		return ev.Step == fleet.Pull || ev.Step == fleet.Build
	case fleet.FactLearned:
		return ev.Key == fleet.FactPull
	}
	return false
}

// build builds and copies. It returns nothing if the run was abandoned.
func (w *worker) build(ctx context.Context) (*fleet.Result, *delivery) {
	result := w.catchPanic(ctx, func(ctx context.Context, w *worker) *fleet.Result { return w.buildFor(ctx) })
	name := w.storePath()
	switch {
	case result == nil:
		return nil, nil
	case result.Outcome != fleet.Built:
		return w.builderResult(result), nil
	case name == "":
		return w.builderResult(w.unknown(fleet.CodeProtocol, "the job does not report what it has built")), nil
	}
	result = w.catchPanic(ctx, func(ctx context.Context, w *worker) *fleet.Result { return w.copyTo(ctx) })
	if result != nil || ctx.Err() != nil {
		return result, nil
	}
	return nil, &delivery{name: name, facts: w.state.Facts}
}

// buildFor follows the job on the builder to its end.
func (w *worker) buildFor(ctx context.Context) *fleet.Result {
	if rp := w.serves.replay; rp != nil && rp.nonce != "" {
		return w.resume(ctx, rp)
	}
	defer w.close()
	return w.connectAndFollow(ctx)
}

// callOff ends the job on the builder, if it runs. The run does not depend on it.
func (w *worker) callOff(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.host.Timeouts.Connect+w.host.Timeouts.Grace)
	defer cancel()
	if _, err := w.engine.cancelJob(ctx, w.host, w.signals.job); err != nil {
		w.warn(fmt.Sprintf("the build could not be cancelled: %s", host.Reason(err, w.host)))
	}
}

// builderResult returns what the end of a build means for the host that it was for. Nothing has
// happened to that host.
func (w *worker) builderResult(r *fleet.Result) *fleet.Result {
	served := *r
	served.Reason = fmt.Sprintf("on %s: %s", w.host.Name, r.Reason)
	if r.Outcome == fleet.Skipped && r.Code == fleet.CodeOffline {
		served.Outcome = fleet.Unreachable
	}
	return &served
}

// storePath returns what the job on the builder has built.
func (w *worker) storePath() string { return remote.StoreName(w.state.Facts[fleet.FactBuilt]) }
