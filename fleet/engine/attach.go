package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/record"
)

// Attach shows a run from its beginning, and stays with it to its end. While another process owns the run, it watches; where none does,
// it takes the run over: jobs are followed from where the record ends, hosts that were unknown are asked again, and those
// that were never begun are skipped. It returns as Run does.
func (e *Engine) Attach(ctx context.Context, record *record.Record, inv *inventory.Inventory, sink func(fleet.Event)) (fleet.Summary, error) {
	l := newLedger(record.Run, nil, e.now, sink)
	w := newWatcher(record, l)
	owned, err := w.watch(ctx)
	switch {
	case err != nil:
		return fleet.Summary{}, err
	case owned == nil:
		summary := l.state.Summarize()
		if !l.state.Complete() {
			summary.ExitCode = fleet.ExitInterrupted
		}
		return summary, nil
	}
	l.journal = owned
	rollbacks, err := e.Records.PartsOf(record.Run)
	if err != nil {
		return fleet.Summary{}, errors.Join(err, owned.Close())
	}
	r := e.newRun(record, owned, inv.Parallel, l.state.Start)
	for _, h := range l.state.Hosts {
		if h.Result != nil && h.Result.Outcome.Terminal() {
			r.policy.count(h.Name, h.Result.Outcome)
		}
	}
	left := w.unfinished()
	r.remote = inv.Remote
	waves, parts := r.resumed(l.state, inv)
	if len(rollbacks) > 0 {
		r.policy.endWave(waves[r.passed].Number) // knows best why
		r.policy.halt(fleet.WaveName(waves[r.passed].Number)+" failed", waves[r.passed].Number)
		r.passed = len(waves)
	}
	return e.carry(ctx, r, []inventory.Notify{inv.Notify}, l, func(ctx, begin context.Context) {
		r.resume(ctx, begin, inv, left, waves, parts)
		r.settleRollback(ctx, begin, rollbacks, inv, parts)
	})
}

// resumed are the waves of a run as it was left, with the parts of those hosts that the inventory still has. Hosts that have an outcome which
// stays have come to their end.
func (r *run) resumed(s *fleet.State, inv *inventory.Inventory) ([]fleet.Wave, map[string]*part) {
	var waves []fleet.Wave
	for i, planned := range s.Hosts {
		if i == 0 || planned.Wave != s.Hosts[i-1].Wave {
			waves = append(waves, fleet.Wave{Number: planned.Wave})
		}
		// Where hosts wait for each other's builds, one has gone past its wave's gate only once it activates.
		if planned.InActivation() || !s.Start.BuildFirst && planned.Step != "" {
			r.passed = len(waves) - 1
		}
		if h := inv.Host(planned.Name); h != nil {
			last := &waves[len(waves)-1]
			last.Hosts = append(last.Hosts, h)
		}
	}
	parts := newParts(fleet.HostsOf(waves))
	for name, p := range parts {
		if hs := s.Host(name); hs.Result != nil && hs.Result.Outcome.Terminal() {
			p.replay(hs)
		}
	}
	return waves, parts
}

// resume settles the hosts that are left: those that have begun go on, and no others begin.
func (r *run) resume(ctx, begin context.Context, inv *inventory.Inventory, left []*replay, waves []fleet.Wave, parts map[string]*part) {
	replays := map[string]*replay{}
	for _, rp := range left {
		p := parts[rp.host]
		switch {
		case !rp.begun && r.cancelled():
			r.settle(rp.host, p, cancelledBefore("it began"))
		case !rp.begun:
			r.settle(rp.host, p, notBegun())
		case p == nil:
			r.settle(rp.host, p, &fleet.Result{
				Outcome: fleet.Unknown, Code: fleet.CodeInventory,
				Reason: fmt.Sprintf("the host is not in %q any more", inv.Path),
				Hint:   "attach with the inventory that the run was begun with",
			})
		default:
			replays[rp.host] = rp
			if !r.start.BuildFirst {
				p.gate <- r.callOff(begin) // it was free to go on, but for what became of its wave since
			}
		}
	}
	r.waves(ctx, begin, waves, parts, func(ctx context.Context, w *worker) *fleet.Result { return w.resume(ctx, replays[w.host.Name]) })
}

// settle tells the outcome of a host that is not gone on with: it says nothing about its wave. There is no part where the host is unknown.
func (r *run) settle(host string, p *part, result *fleet.Result) {
	r.events <- fleet.Event{Type: fleet.HostFinished, Host: host, Result: result}
	if p != nil {
		close(p.over)
	}
}

// resume goes on with a job that was begun before, as far as the record knows.
func (w *worker) resume(ctx context.Context, rp *replay) *fleet.Result {
	defer w.close()
	w.asked = !rp.away
	w.began = rp.began
	w.recorded = rp.recorded
	w.takeOver(rp)
	if w.end != nil && !w.activated { // its log is here to the end, and nothing else is to be seen on the host
		if v := w.conclude(ctx); v.over {
			return v.result
		}
	}
	w.due = time.Now().Add(w.allowance())
	conn, result := w.reach(ctx, errors.New("the operator's side was away"))
	if conn == nil {
		return result
	}
	return w.attend(ctx, conn)
}

// takeOver makes the log that was read for showing the worker's own.
func (w *worker) takeOver(rp *replay) {
	if rp.reader == nil {
		return
	}
	log, err := w.journal.ResumeLog(w.host.Name, rp.offset)
	w.complain(err)
	w.log, w.nonce, w.reader = log, rp.nonce, rp.reader
	w.reader.attach(w.send, w.learn, w.hold)
	for _, it := range rp.items {
		w.learn(it)
	}
}
