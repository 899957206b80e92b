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
	r := e.newRun(record, owned, inv.Parallel)
	r.goal = l.state.Start.Goal
	left := w.unfinished()
	return e.carry(ctx, r, l, func(ctx, begin context.Context) { r.resume(ctx, begin, inv, left) })
}

// resume settles the hosts that are left.
func (r *run) resume(ctx, begin context.Context, inv *inventory.Inventory, left []*replay) {
	var hosts []*inventory.Host
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
			hosts = append(hosts, h)
			replays[h.Name] = rp
		}
	}
	Each(begin, hosts, r.parallel, func(begin context.Context, h *inventory.Host) {
		if begin.Err() != nil {
			return
		}
		w := r.newWorker(h)
		if result := w.finish(w.resume(ctx, replays[h.Name])); result != nil {
			r.events <- Event{Type: HostFinished, Host: h.Name, Result: result}
		}
	})
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
	w.due = time.Now().Add(allowance(w.host.Timeouts, w.step))
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
