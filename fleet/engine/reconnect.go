package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
)

// connect logs in for the first time. Without a connection there is the host's result, or none where the operator's side leaves. A host
// that seems to be away is asked twice: a network may drop a packet, or a connection.
func (w *worker) connect(ctx context.Context) (host.Conn, *fleet.Result) {
	conn, err := w.engine.Dialer.Dial(ctx, w.host)
	if err != nil && host.IsOffline(err) && time.Since(w.began) <= w.host.Timeouts.Connect/2 && host.Sleep(ctx, host.Backoff(0)) {
		conn, err = w.engine.Dialer.Dial(ctx, w.host)
	}
	if err != nil && host.IsOffline(err) && w.plan.WaitOnline > 0 {
		return w.awaitOnline(ctx, err)
	}
	switch {
	case ctx.Err() != nil:
		if err == nil {
			conn.Close()
		}
		return nil, nil
	case err != nil:
		return nil, host.NotReached(err, w.host)
	}
	return conn, nil
}

// awaitOnline keeps trying to reach a host that is away, while other hosts have its slot. It takes one again when the host appears, unless
// by then no host is to be begun any more.
func (w *worker) awaitOnline(ctx context.Context, cause error) (host.Conn, *fleet.Result) {
	w.say(w.host.Name, fleet.StreamNote, fmt.Sprintf("away (%s): it is waited for, %v at most", host.Reason(cause, w.host), w.plan.WaitOnline))
	w.tell(fleet.Event{Type: fleet.FactLearned, Key: fleet.FactAway, Value: fleet.Yes})
	w.part.rest()
	accepting, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(w.engine.stopping, cancel)()
	waiting, cancel := context.WithTimeout(accepting, w.plan.WaitOnline-time.Since(w.began))
	defer cancel()
	for n := 0; ; n++ {
		select {
		case <-time.After(host.Backoff(n)):
		case <-w.policy.halted:
		case <-waiting.Done():
		}
		if off := w.callOff(accepting); off != nil || ctx.Err() != nil {
			return nil, off
		}
		if waiting.Err() != nil {
			return nil, host.NotReached(cause, w.host)
		}
		conn, err := w.engine.Dialer.Dial(waiting, w.host)
		switch {
		case err == nil:
			w.free = w.slots.Take(accepting)
			if off := w.callOff(accepting); off != nil || ctx.Err() != nil {
				conn.Close()
				return nil, off
			}
			w.tell(fleet.Event{Type: fleet.FactLearned, Key: fleet.FactAway, Value: fleet.No})
			return conn, nil
		case waiting.Err() == nil && !host.IsOffline(err):
			return nil, host.NotReached(err, w.host)
		}
	}
}

// reach gets a new connection after the last one was lost, for cause. It gives up when the host was out of reach for too long; then, and when
// ctx ends, there is no connection.
func (w *worker) reach(ctx context.Context, cause error) (host.Conn, *fleet.Result) {
	if w.lost.IsZero() {
		w.lost = time.Now()
		w.tell(fleet.Event{Type: fleet.FactLearned, Key: fleet.FactReconnect, Value: fleet.Lost})
	}
	// A host that turns us away may be in the middle of restarting what logs people in; one that does so twice means it.
	for refusals := 0; refusals < 2; {
		left := w.host.Timeouts.Reconnect - time.Since(w.lost)
		if left <= 0 || !host.Sleep(ctx, min(host.Backoff(w.tries), left)) {
			break
		}
		w.tries++
		conn, err := w.engine.Dialer.Dial(ctx, w.host)
		if err == nil {
			return conn, nil
		}
		cause = err
		if host.IsOffline(err) {
			refusals = 0
		} else {
			refusals++
		}
	}
	if ctx.Err() != nil {
		return nil, nil
	}
	if !w.asked {
		return nil, host.NotReached(cause, w.host)
	}
	return nil, w.unknown(fleet.CodeLost, fmt.Sprintf("out of reach for %v: %s", time.Since(w.lost).Round(time.Second), host.Reason(cause, w.host)))
}
