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
	r := e.newRun(record, owned, inv.Parallel, l.state.Start)
	for _, h := range l.state.Hosts {
		if h.Result != nil && h.Result.Outcome.Terminal() {
			r.policy.count(h.Name, h.Result.Outcome)
		}
	}
	left, rollback := w.unfinished(), l.state.Rollback
	return e.carry(ctx, r, []inventory.Notify{inv.Notify}, l, func(ctx, begin context.Context) {
		r.resume(ctx, begin, inv, left)
		r.settleRollback(ctx, rollback, inv)
	})
}

// resume settles the hosts that are left.
func (r *run) resume(ctx, begin context.Context, inv *inventory.Inventory, left []*replay) {
	hosts := map[string]*inventory.Host{}
	replays := map[string]*replay{}
	for _, rp := range left {
		h := inv.Host(rp.host)
		switch {
		case !rp.begun && r.journal.record.cancelAsked():
			r.events <- Event{Type: HostFinished, Host: rp.host, Result: cancelledBefore()}
		case !rp.begun:
			r.events <- Event{Type: HostFinished, Host: rp.host, Result: notBegun()}
		case h == nil:
			r.events <- Event{Type: HostFinished, Host: rp.host, Result: &Result{
				Outcome: Unknown, Code: codeInventory,
				Reason: fmt.Sprintf("the host is not in %q any more", inv.Path),
				Hint:   "attach with the inventory that the run was begun with",
			}}
		default:
			hosts[h.Name], replays[h.Name] = h, rp
		}
	}
	r.waves(ctx, begin, r.wavesOf(hosts), func(ctx context.Context, w *worker) *Result { return w.resume(ctx, replays[w.host.Name]) })
}

// wavesOf are the waves in which hosts that have begun go on. Where they wait for each other's builds, these are the run's, even those that
// have nobody left: how they ended counts. Else every host that has begun was free to.
func (r *run) wavesOf(hosts map[string]*inventory.Host) []Wave {
	all := []Wave{{Number: -1}}
	for i, planned := range r.start.Hosts {
		if r.start.BuildFirst && (i == 0 || planned.Wave != r.start.Hosts[i-1].Wave) {
			all = append(all, Wave{Number: planned.Wave})
		}
		if h := hosts[planned.Name]; h != nil {
			last := &all[len(all)-1]
			last.Hosts = append(last.Hosts, h)
		}
	}
	return all
}

// resume goes on with a job that was begun before, as far as the record knows.
func (w *worker) resume(ctx context.Context, rp *replay) *Result {
	defer w.close()
	w.asked = true
	w.began = rp.began
	w.recorded = rp.recorded
	w.takeOver(rp)
	if w.end != nil && !w.activated { // its log is here to the end, and nothing else is to be seen on the host
		return w.conclude(ctx).result
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
