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
	"github.com/markus-barta/nixfleet/internal/hint"
)

// Engine carries out runs. Its fields must not change once a run has started.
type Engine struct {
	Dialer  host.Dialer
	Records *record.Store

	// SudoPassword returns the password that sudo asks for on a host. retry means that sudo
	// rejected the last one. It may be called for several hosts at once. If it is nil, there is no
	// operator to ask.
	SudoPassword func(ctx context.Context, host string, retry bool) (string, error)

	// LocalGit returns the commit of a branch or tag of a remote, from the operator's git. If it is
	// nil, the hosts are asked.
	LocalGit func(ctx context.Context, remote, name string) (rev string, err error)

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
	rev, err := e.resolveRevision(ctx, p)
	if err != nil {
		return fleet.Summary{}, err
	}
	rec, journal, err := e.Records.Create(e.now())
	if err != nil {
		return fleet.Summary{}, err
	}
	_, pruneErr := e.Records.Prune(record.DefaultRetention, e.now())
	start := p.Start()
	start.Revision = rev
	r := e.newRun(rec, journal, p.Parallel, start)
	r.plan, r.remote = p, p.Remote
	r.recordError(pruneErr)
	r.revision = newPinnedRevision(rev, p.NoPull)
	out := newRecorder(rec.Run, journal, e.now, sink)
	return e.execute(ctx, r, p.Notify, out, func(ctx, accept context.Context) {
		r.events <- fleet.Event{Type: fleet.RunStarted, Start: start}
		r.noteShortage(p.Parallel, len(start.Hosts))
		defer r.pinFromLocalGit(ctx)()
		s := &scheduler{run: r, accept: accept, waves: p.Waves, tasks: newTasks(p.Waves)}
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

// resolveRevision returns the commit of a revision that was given by name. The tip of the
// inventory's branch is looked up later, while hosts connect.
func (e *Engine) resolveRevision(ctx context.Context, p *fleet.Plan) (string, error) {
	if p.Rev == "" || fleet.IsCommit(p.Rev) {
		return p.Rev, nil
	}
	if e.LocalGit == nil {
		return "", hint.Errorf("use the full commit hash, 40 hex digits", "cannot look up %q: git is not installed on this machine", p.Rev)
	}
	ctx, cancel := context.WithTimeout(ctx, gitTimeout)
	defer cancel()
	rev, err := e.LocalGit(ctx, p.Remote, p.Rev)
	if err == nil && !fleet.IsCommit(rev) {
		err = errors.New("no such branch or tag")
	}
	if err != nil {
		return "", hint.Errorf("to name a commit, use its full hash, 40 hex digits", "cannot look up %q in %q: %w", p.Rev, p.Remote, err)
	}
	return rev, nil
}
