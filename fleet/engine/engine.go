package engine

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/record"
)

// Engine carries out runs. Its fields must not change once a run has started.
type Engine struct {
	Dialer  host.Dialer
	Records *record.Store

	// SudoPassword returns the password that sudo asks for on a host. retry means that sudo
	// rejected the last one. It may be called for several hosts at once. If it is nil, there is no
	// operator to ask.
	SudoPassword func(ctx context.Context, host string, retry bool) (string, error)

	// LocalGit looks up the commit of plans that come without one. It may be nil.
	LocalGit LocalGit

	// MaxHosts is how many hosts this machine can be connected to at once. 0 means any number.
	MaxHosts int

	Now func() time.Time // nil means time.Now

	once     sync.Once
	stopping context.Context // done after Stop
	stop     context.CancelFunc
}

// Stop makes the engine start no more hosts: they are skipped. Hosts already started are followed
// to their end.
func (e *Engine) Stop() {
	e.once.Do(e.prepareStop)
	e.stop()
}

func (e *Engine) prepareStop() {
	e.stopping, e.stop = context.WithCancel(context.Background())
}

// Run carries out a plan and records it. It calls sink with every event, in order, from one
// goroutine.
//
// Run returns when every host has an outcome or, with Detach, when every job has started. When ctx
// ends, it returns at once: jobs on hosts continue, the record stays open, and Attach can continue
// the run. An error means that the run could not start or that its record is incomplete. How the
// hosts did is only in the Summary.
func (e *Engine) Run(ctx context.Context, p *fleet.Plan, sink func(fleet.Event)) (fleet.Summary, error) {
	rev, err := LookUp(ctx, e.LocalGit, p)
	if err != nil {
		return fleet.Summary{}, err
	}
	pinned := *p
	p, pinned.Pinned = &pinned, rev
	rec, journal, err := e.Records.Create(e.now())
	if err != nil {
		return fleet.Summary{}, err
	}
	_, pruneErr := e.Records.Prune(record.DefaultRetention, e.now())
	start := p.Start()
	r := e.newRun(rec, journal, p.Parallel, start)
	r.plan, r.remote, r.inventory = p, p.Remote, p.Inventory
	r.recordError(pruneErr)
	out := newRecorder(rec.Run, journal, e.now, sink)
	return e.execute(ctx, r, p.Notify, out, func(ctx, accept context.Context) {
		r.events <- fleet.Event{Type: fleet.RunStarted, Start: start}
		r.noteShortage(p.Parallel, len(start.Hosts))
		s := &scheduler{run: r, accept: accept, waves: p.Waves, tasks: r.newTasks(p.Waves)}
		s.work = func(ctx context.Context, w *worker) *fleet.Result { return w.launch(ctx) }
		s.runWaves(ctx)
	})
}

// execute runs work in its own goroutine, records the events that it sends, and finishes the run
// when every host has an outcome. The context that work gets as accept is done when no more hosts
// may start.
func (e *Engine) execute(ctx context.Context, r *run, notify []inventory.Notify, out *recorder, work func(ctx, accept context.Context)) (fleet.Summary, error) {
	e.once.Do(e.prepareStop)
	accept, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(e.stopping, cancel)()

	go func() {
		defer close(r.events)
		work(ctx, accept)
	}()
	out.drain(r.events)

	summary := out.state.Summarize()
	if out.state.Complete() && !r.abandoned {
		// Notify before recording RunFinished: if this process dies in between, the process that
		// attaches notifies.
		for _, n := range notify {
			for _, problem := range sendNotification(ctx, n, out.state.Report()) {
				out.record(fleet.Event{Type: fleet.LogLine, Stream: fleet.StreamWarn, Line: problem})
			}
		}
		out.record(fleet.Event{Type: fleet.RunFinished, Summary: &summary})
	} else if r.plan == nil || !r.plan.Detach || ctx.Err() != nil {
		summary.ExitCode = fleet.ExitInterrupted
	}
	out.keep(r.journal.Close())
	return summary, errors.Join(out.err, r.recordErrors())
}

func (e *Engine) now() time.Time {
	if e.Now != nil {
		return e.Now()
	}
	return time.Now()
}
