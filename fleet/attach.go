package fleet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// Attach shows a run from its beginning, and stays with it to its end. While another process owns the run, it watches; where none does,
// it takes the run over: jobs are followed from where the record ends, hosts that were unknown are asked again, and those
// that were never begun are skipped. It returns as Run does.
func (e *Engine) Attach(ctx context.Context, record *Record, inv *inventory.Inventory, sink func(Event)) (Summary, error) {
	l := newLedger(record.Run, nil, e.now, sink)
	w := newWatcher(record, l)
	owned, err := w.watch(ctx)
	switch {
	case err != nil:
		return Summary{}, err
	case owned == nil:
		summary := l.state.Summarize()
		if !l.state.complete() {
			summary.ExitCode = ExitInterrupted
		}
		return summary, nil
	}
	l.journal = owned
	rollbacks, err := e.Records.partsOf(record.Run)
	if err != nil {
		return Summary{}, errors.Join(err, owned.close())
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
		r.policy.halt(waveName(waves[r.passed].Number)+" failed", waves[r.passed].Number)
		r.passed = len(waves)
	}
	return e.carry(ctx, r, []inventory.Notify{inv.Notify}, l, func(ctx, begin context.Context) {
		r.resume(ctx, begin, inv, left, waves, parts)
		r.settleRollback(ctx, begin, rollbacks, inv, parts)
	})
}

// resumed are the waves of a run as it was left, with the parts of those hosts that the inventory still has. Hosts that have an outcome which
// stays have come to their end.
func (r *run) resumed(s *State, inv *inventory.Inventory) ([]Wave, map[string]*part) {
	var waves []Wave
	for i, planned := range s.Hosts {
		if i == 0 || planned.Wave != s.Hosts[i-1].Wave {
			waves = append(waves, Wave{Number: planned.Wave})
		}
		// Where hosts wait for each other's builds, one has gone past its wave's gate only once it activates.
		if planned.inActivation() || !s.Start.BuildFirst && planned.Step != "" {
			r.passed = len(waves) - 1
		}
		if h := inv.Host(planned.Name); h != nil {
			last := &waves[len(waves)-1]
			last.Hosts = append(last.Hosts, h)
		}
	}
	parts := newParts(hostsOf(waves))
	for name, p := range parts {
		if hs := s.Host(name); hs.Result != nil && hs.Result.Outcome.Terminal() {
			p.replay(hs)
		}
	}
	return waves, parts
}

// resume settles the hosts that are left: those that have begun go on, and no others begin.
func (r *run) resume(ctx, begin context.Context, inv *inventory.Inventory, left []*replay, waves []Wave, parts map[string]*part) {
	replays := map[string]*replay{}
	for _, rp := range left {
		p := parts[rp.host]
		switch {
		case !rp.begun && r.cancelled():
			r.settle(rp.host, p, cancelledBefore("it began"))
		case !rp.begun:
			r.settle(rp.host, p, notBegun())
		case p == nil:
			r.settle(rp.host, p, &Result{
				Outcome: Unknown, Code: codeInventory,
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
	r.waves(ctx, begin, waves, parts, func(ctx context.Context, w *worker) *Result { return w.resume(ctx, replays[w.host.Name]) })
}

// settle tells the outcome of a host that is not gone on with: it says nothing about its wave. There is no part where the host is unknown.
func (r *run) settle(host string, p *part, result *Result) {
	r.events <- Event{Type: HostFinished, Host: host, Result: result}
	if p != nil {
		close(p.over)
	}
}

// resume goes on with a job that was begun before, as far as the record knows.
func (w *worker) resume(ctx context.Context, rp *replay) *Result {
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
	log, err := w.journal.resumeLog(w.host.Name, rp.offset)
	w.complain(err)
	w.log, w.nonce, w.reader = log, rp.nonce, rp.reader
	w.reader.attach(w.send, w.learn, w.hold)
	for _, it := range rp.items {
		w.learn(it)
	}
}
