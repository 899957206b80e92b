package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/record"
)

// Engine carries runs out.
type Engine struct {
	Dialer  host.Dialer
	Records *record.Store

	// SudoPassword asks for the password that sudo wants on a host; again means that the last one was wrong. It is called for each
	// such host, maybe for several at once. Nil means that there is nobody to ask.
	SudoPassword func(ctx context.Context, host string, again bool) (string, error)

	// LocalGit asks the operator's git which commit a branch or tag of a remote is at. Nil leaves the question to the hosts.
	LocalGit func(ctx context.Context, remote, name string) (rev string, err error)

	Now func() time.Time // nil is time.Now

	once     sync.Once
	stopping context.Context // ends with Stop
	stop     context.CancelFunc
}

// Stop keeps the engine from beginning with any more hosts: they are skipped. Those under way are followed to their end.
func (e *Engine) Stop() {
	e.once.Do(e.prepareStop)
	e.stop()
}

func (e *Engine) prepareStop() {
	e.stopping, e.stop = context.WithCancel(context.Background())
}

// Run carries out a plan and records it. Every event goes to sink, in order, from one goroutine.
//
// Run returns when every host has an outcome, or, with Detach, when every job has begun. When ctx ends it leaves at once: jobs on
// hosts go on, the record stays open, and Attach can go on with it. An error means that the run could not begin, or that its record
// is not whole; how the hosts fared is in the Summary alone.
func (e *Engine) Run(ctx context.Context, p *fleet.Plan, sink func(fleet.Event)) (fleet.Summary, error) {
	rev, err := e.lookUp(ctx, p)
	if err != nil {
		return fleet.Summary{}, err
	}
	rec, owned, err := e.Records.Create(e.now())
	if err != nil {
		return fleet.Summary{}, err
	}
	_, pruned := e.Records.Prune(record.DefaultRetention, e.now())
	start := p.Start()
	start.Revision = rev
	r := e.newRun(rec, owned, p.Parallel, start)
	r.plan, r.remote = p, p.Remote
	r.complain(pruned)
	r.revision = newPin(rev, p.NoPull)
	return e.carry(ctx, r, p.Notify, newLedger(rec.Run, owned, e.now, sink), func(ctx, begin context.Context) {
		r.events <- fleet.Event{Type: fleet.RunStarted, Start: start}
		defer r.pinRevision(ctx)()
		r.waves(ctx, begin, p.Waves, newParts(p.Hosts()), func(ctx context.Context, w *worker) *fleet.Result { return w.launch(ctx) })
	})
}

// carry lets work happen in its own goroutine, this one being the ledger's, and closes the run when every host has an outcome.
func (e *Engine) carry(ctx context.Context, r *run, whom []inventory.Notify, l *ledger, work func(ctx, begin context.Context)) (fleet.Summary, error) {
	e.once.Do(e.prepareStop)
	begin, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(e.stopping, cancel)()

	go func() {
		defer close(r.events)
		work(ctx, begin)
	}()
	l.drain(r.events)

	summary := l.state.Summarize()
	if l.state.Complete() && !r.left {
		// Before the end is on record: who was not notified because this process died is notified by the one that attaches.
		for _, n := range whom {
			for _, problem := range notify(ctx, n, l.state.Report()) {
				l.take(fleet.Event{Type: fleet.LogLine, Stream: fleet.StreamWarn, Line: problem})
			}
		}
		l.take(fleet.Event{Type: fleet.RunFinished, Summary: &summary})
	} else if r.plan == nil || !r.plan.Detach || ctx.Err() != nil {
		summary.ExitCode = fleet.ExitInterrupted
	}
	l.keep(r.journal.Close())
	return summary, errors.Join(l.err, r.trouble())
}

func (e *Engine) now() time.Time {
	if e.Now != nil {
		return e.Now()
	}
	return time.Now()
}

// lookUp finds the commit of a revision that was given by name. That of the inventory's branch is found while hosts connect.
func (e *Engine) lookUp(ctx context.Context, p *fleet.Plan) (string, error) {
	if p.Rev == "" || fleet.IsCommit(p.Rev) {
		return p.Rev, nil
	}
	if e.LocalGit == nil {
		return "", fmt.Errorf("cannot look %q up: there is no git here\n  hint: give the commit's 40 hex digits", p.Rev)
	}
	ctx, cancel := context.WithTimeout(ctx, gitDeadline)
	defer cancel()
	rev, err := e.LocalGit(ctx, p.Remote, p.Rev)
	if err == nil && !fleet.IsCommit(rev) {
		err = errors.New("there is no such branch or tag")
	}
	if err != nil {
		return "", fmt.Errorf("cannot look %q up in %q: %w\n  hint: a commit is given with all of its 40 hex digits", p.Rev, p.Remote, err)
	}
	return rev, nil
}
