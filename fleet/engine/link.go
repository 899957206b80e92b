package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
)

// link is what a worker knows about reaching its host.
type link struct {
	launched      bool      // a launch was sent, so there may be a job
	opening       bool      // that launch was the first
	jobSeen       bool      // a session showed the job
	emptySessions int       // sessions in a row that ended early, without a new byte of the log
	lostSince     time.Time // zero while the host is in reach
	attempts      int       // at reaching it again since the log last grew
	lockTries     int       // how often another host of the run had its lock
}

// connect logs in for the first time. Without a connection it returns the host's result, or nil if
// the run was abandoned. A host that seems to be offline is tried twice, because a network may drop
// a packet.
func (w *worker) connect(ctx context.Context) (host.Conn, *fleet.Result) {
	conn, err := w.engine.Dialer.Dial(ctx, w.host)
	early := time.Since(w.started) <= w.host.Timeouts.Connect/2
	if err != nil && host.IsOffline(err) && early && host.Sleep(ctx, host.Backoff(0)) {
		conn, err = w.engine.Dialer.Dial(ctx, w.host)
	}
	if err != nil && host.IsOffline(err) && w.serves == nil && w.plan.WaitOnline > 0 {
		return w.awaitOnline(ctx, err)
	}
	switch {
	case ctx.Err() != nil:
		if err == nil {
			conn.Close()
		}
		return nil, nil
	case err != nil:
		return nil, host.DialResult(err, w.host)
	}
	return conn, nil
}

// awaitOnline keeps dialing a host that is offline, while other hosts have its slot. When the host
// appears, it takes a slot again, unless no more hosts may start by then.
func (w *worker) awaitOnline(ctx context.Context, cause error) (host.Conn, *fleet.Result) {
	w.note(fmt.Sprintf("offline (%s): waiting up to %v for it", host.Reason(cause, w.host), w.plan.WaitOnline))
	w.emit(fleet.Event{Type: fleet.FactLearned, Key: fleet.FactAway, Value: fleet.Yes})
	w.task.yieldSlot()
	accept, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(w.engine.stopping, cancel)()
	waiting, cancel := context.WithTimeout(accept, w.plan.WaitOnline-time.Since(w.started))
	defer cancel()
	for n := 0; ; n++ {
		select {
		case <-time.After(host.Backoff(n)):
		case <-w.policy.halted:
		case <-waiting.Done():
		}
		if skipped := w.skipResult(accept); skipped != nil || ctx.Err() != nil {
			return nil, skipped
		}
		if waiting.Err() != nil {
			return nil, host.DialResult(cause, w.host)
		}
		conn, err := w.engine.Dialer.Dial(waiting, w.host)
		switch {
		case err == nil:
			w.freeSlot = w.slots.Take(accept)
			if skipped := w.skipResult(accept); skipped != nil || ctx.Err() != nil {
				conn.Close()
				return nil, skipped
			}
			w.emit(fleet.Event{Type: fleet.FactLearned, Key: fleet.FactAway, Value: fleet.No})
			return conn, nil
		case waiting.Err() == nil && !host.IsOffline(err):
			return nil, host.DialResult(err, w.host)
		}
	}
}

// reconnect opens a new connection after the last one was lost because of cause. It gives up after
// the inventory's reconnect time, or when the host rejects the login twice: a host that is
// restarting its SSH server may do so once. Then, and when ctx ends, it returns no connection.
func (w *worker) reconnect(ctx context.Context, cause error) (host.Conn, *fleet.Result) {
	if w.link.lostSince.IsZero() {
		w.link.lostSince = time.Now()
		w.emit(fleet.Event{Type: fleet.FactLearned, Key: fleet.FactReconnect, Value: fleet.Lost})
	}
	for rejections := 0; rejections < 2; {
		left := w.host.Timeouts.Reconnect - time.Since(w.link.lostSince)
		if left <= 0 || !host.Sleep(ctx, min(host.Backoff(w.link.attempts), left)) {
			break
		}
		w.link.attempts++
		conn, err := w.engine.Dialer.Dial(ctx, w.host)
		if err == nil {
			return conn, nil
		}
		cause = err
		if host.IsOffline(err) {
			rejections = 0
		} else {
			rejections++
		}
	}
	if ctx.Err() != nil {
		return nil, nil
	}
	if !w.link.launched {
		return nil, host.DialResult(cause, w.host)
	}
	out := time.Since(w.link.lostSince).Round(time.Second)
	return nil, w.unknown(fleet.CodeLost, fmt.Sprintf("out of reach for %v: %s", out, host.Reason(cause, w.host)))
}

// reached notes that the host is in reach again.
func (w *worker) reached() {
	if !w.link.lostSince.IsZero() {
		w.link.lostSince = time.Time{}
		w.emit(fleet.Event{Type: fleet.FactLearned, Key: fleet.FactReconnect, Value: fleet.Back})
	}
}
