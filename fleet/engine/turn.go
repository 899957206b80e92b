package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

// Hosts of the inventory that are one machine, such as a system and a user's home on it, take
// turns: in the order of the run, each one's job starts after the previous one has ended. If the
// inventory does not show that two hosts are one machine, the second finds it locked by this run.

// awaitTurn waits until the previous task on the same machine is done. skipped means that the host
// must not start, and that result is its result, or nil if the run was abandoned.
//
// Meanwhile the task keeps its slot, so that its wave waits for it, unless the previous task has
// none either: that one waits at the gate, or for its host to come online.
func (w *worker) awaitTurn(ctx context.Context) (result *fleet.Result, skipped bool) {
	previous := w.task.after
	if previous == nil || previous.finished() {
		return nil, false
	}
	w.note(fmt.Sprintf("waits for %s, which is on the same machine", previous.host.Name))
	accept, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(w.engine.stopping, cancel)()
	yielded := previous.yielded
	for !previous.finished() && accept.Err() == nil {
		select {
		case <-previous.done:
		case <-accept.Done():
		case <-yielded:
			yielded = nil
			w.task.yieldSlot()
		}
	}
	if yielded == nil && !w.start.BuildFirst {
		w.freeSlot = w.slots.Take(accept)
	}
	if ctx.Err() != nil {
		return nil, true
	}
	result = w.skipResult(accept)
	return result, result != nil
}

// heldByThisRun reports whether a host refuses to start a job because it has another one of the
// same run: the two hosts are one machine.
func (w *worker) heldByThisRun(h remote.Header) bool {
	return (h.Code == string(fleet.CodeLocked) || h.Code == "busy") && strings.HasPrefix(h.Values["job"], host.JobID(w.id, ""))
}

// awaitLock waits a moment before the launch is tried again.
func (w *worker) awaitLock(ctx context.Context, h remote.Header) sessionEnd {
	w.link.launched = false
	if w.link.lockTries == 0 {
		other := strings.TrimPrefix(h.Values["job"], host.JobID(w.id, ""))
		w.note(fmt.Sprintf("waits for %s, which is on the same machine", other))
	}
	if w.start.BuildFirst {
		w.task.yieldSlot()
	}
	accept, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(w.engine.stopping, cancel)()
	host.Sleep(accept, host.Backoff(w.link.lockTries))
	w.link.lockTries++
	if ctx.Err() != nil {
		return finishedWith(nil)
	}
	if skipped := w.skipResult(accept); skipped != nil {
		return finishedWith(skipped)
	}
	return sessionEnd{}
}
