package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/record"
	"github.com/markus-barta/nixfleet/internal/clean"
)

// Attach shows a run from its start and stays with it to its end. While another process owns the
// run, it watches. If no process does, it takes the run over: it follows jobs from where the record
// ends, asks unknown hosts again, and skips hosts that had not started. It returns as Run does.
func (e *Engine) Attach(ctx context.Context, rec *record.Record, inv *inventory.Inventory, sink func(fleet.Event)) (fleet.Summary, error) {
	out := newRecorder(rec.Run, nil, e.now, sink)
	replayed := newReplayer(rec, out)
	journal, err := replayed.watch(ctx)
	switch {
	case err != nil:
		return fleet.Summary{}, err
	case journal == nil:
		summary := out.state.Summarize()
		if !out.state.Complete() {
			summary.ExitCode = fleet.ExitInterrupted
		}
		return summary, nil
	}
	out.journal = journal
	rollbacks, err := e.Records.Rollbacks(rec.Run)
	unread, damaged := errors.AsType[*record.DamagedError](err)
	if err != nil && (!damaged || unread.Run == out.state.Rollback) {
		return fleet.Summary{}, errors.Join(err, journal.Close())
	}
	r := e.newRun(rec, journal, inv.Parallel, out.state.Start)
	r.remote, r.inventory = inv.Remote, inv.Hosts
	for _, h := range out.state.Hosts {
		if h.Settled() {
			r.policy.count(h.Name, h.Result.Outcome)
		}
	}
	s := r.resumeScheduler(out.state, inv)
	unfinished := replayed.unfinished()
	if len(rollbacks) > 0 {
		wave := s.waves[r.judgedWaves].Number
		r.policy.endWave(wave) // has the best reason
		r.policy.halt(fleet.WaveName(wave)+" failed", wave)
		r.judgedWaves = len(s.waves)
	}
	return e.execute(ctx, r, []inventory.Notify{inv.Notify}, out, func(ctx, accept context.Context) {
		s.accept = accept
		if damaged {
			r.logLine("", fleet.StreamWarn, clean.Line([]byte(err.Error())))
		}
		s.resume(ctx, inv, unfinished)
		s.settleRollbacks(ctx, rollbacks, inv)
	})
}

// resumeScheduler returns a scheduler for a run as its last owner left it. It has the hosts that
// are still in the inventory. Those with a final outcome have finished.
func (r *run) resumeScheduler(state *fleet.State, inv *inventory.Inventory) *scheduler {
	s := &scheduler{run: r}
	for i, h := range state.Hosts {
		if i == 0 || h.Wave != state.Hosts[i-1].Wave {
			s.waves = append(s.waves, fleet.Wave{Number: h.Wave})
		}
		// If all hosts build first, a host has passed its wave's gate only when it activates.
		if h.InActivation() || !state.Start.BuildFirst && h.Step != "" {
			r.judgedWaves = len(s.waves) - 1
		}
		if listed := inv.Host(h.Name); listed != nil {
			last := &s.waves[len(s.waves)-1]
			last.Hosts = append(last.Hosts, listed)
		}
	}
	s.tasks = r.newTasks(s.waves)
	for name, t := range s.tasks {
		if h := state.Host(name); h.Settled() {
			t.finishBefore(h)
		}
	}
	return s
}

// resume continues the hosts without a final outcome that had started. It starts no others.
func (s *scheduler) resume(ctx context.Context, inv *inventory.Inventory, unfinished []*hostReplay) {
	replays := map[string]*hostReplay{}
	for _, rp := range unfinished {
		t := s.tasks[rp.host]
		switch {
		case !rp.hasStarted && s.cancelled():
			s.settle(rp.host, cancelledBefore("it started"))
		case !rp.hasStarted:
			s.settle(rp.host, notStarted())
		case t == nil:
			s.settle(rp.host, &fleet.Result{
				Outcome: fleet.Unknown, Code: fleet.CodeInventory,
				Reason: fmt.Sprintf("the host is not in %q anymore", inv.Path), Hint: fleet.CodeInventory.Hint(),
			})
		default:
			replays[rp.host] = rp
			if !s.start.BuildFirst {
				t.gate <- s.skipResult(s.accept) // it may proceed unless its wave has failed since
			}
		}
	}
	s.work = func(ctx context.Context, w *worker) *fleet.Result { return w.resume(ctx, replays[w.host.Name]) }
	s.runWaves(ctx)
}

// settle reports the outcome of a host that will not be resumed. It does not count against its
// wave.
func (s *scheduler) settle(name string, result *fleet.Result) {
	s.send(fleet.Event{Type: fleet.HostFinished, Host: name, Result: result})
	if t := s.tasks[name]; t != nil {
		close(t.done)
	}
}

// resume continues with a job that an earlier owner of the run has started.
func (w *worker) resume(ctx context.Context, rp *hostReplay) *fleet.Result {
	defer w.close()
	w.link.launched = !rp.waitsOnline
	w.started = rp.started
	w.buildReplay = rp.build
	w.resumeLog(rp)
	if w.log.end != nil && !w.activated() {
		// the log is complete, and nothing else is to be checked
		if end := w.conclude(ctx); end.finished {
			return end.result
		}
	}
	w.clock.due = time.Now().Add(w.stepLimit())
	conn, result := w.reconnect(ctx, errors.New("fleetctl had stopped"))
	if conn == nil {
		return result
	}
	return w.follow(ctx, conn)
}
