package fleet

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// The pauses between attempts to reach a host again grow from the first to the last.
const (
	firstPause = 500 * time.Millisecond
	lastPause  = 15 * time.Second
)

// pause is how long to wait before attempt n, from 0: each time twice as long, give or take a quarter, so that a fleet does not come back
// to its bastion all at once.
func pause(n int) time.Duration {
	d := min(firstPause<<min(n, 10), lastPause)
	return d*3/4 + rand.N(d/2)
}

// connect logs in for the first time. Without a connection there is the host's result, or none where the operator's side leaves. A host
// that seems to be away is asked twice: a network may drop a packet, or a connection.
func (w *worker) connect(ctx context.Context) (Conn, *Result) {
	conn, err := w.engine.Dialer.Dial(ctx, w.host)
	if err != nil && offline(err) && time.Since(w.began) <= w.host.Timeouts.Connect/2 && sleep(ctx, pause(0)) {
		conn, err = w.engine.Dialer.Dial(ctx, w.host)
	}
	if err != nil && offline(err) && w.plan.WaitOnline > 0 {
		return w.awaitOnline(ctx, err)
	}
	switch {
	case ctx.Err() != nil:
		if err == nil {
			conn.Close()
		}
		return nil, nil
	case err != nil:
		return nil, notReached(err, w.host)
	}
	return conn, nil
}

// awaitOnline keeps trying to reach a host that is away, while other hosts have its slot. It takes one again when the host appears, unless
// by then no host is to be begun any more.
func (w *worker) awaitOnline(ctx context.Context, cause error) (Conn, *Result) {
	w.say(w.host.Name, streamNote, fmt.Sprintf("away (%s): it is waited for, %v at most", reasonOf(cause, w.host), w.plan.WaitOnline))
	w.tell(Event{Type: FactLearned, Key: FactAway, Value: Yes})
	w.part.rest()
	accepting, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(w.engine.stopping, cancel)()
	waiting, cancel := context.WithTimeout(accepting, w.plan.WaitOnline-time.Since(w.began))
	defer cancel()
	for n := 0; ; n++ {
		select {
		case <-time.After(pause(n)):
		case <-w.policy.halted:
		case <-waiting.Done():
		}
		if off := w.callOff(accepting); off != nil || ctx.Err() != nil {
			return nil, off
		}
		if waiting.Err() != nil {
			return nil, notReached(cause, w.host)
		}
		conn, err := w.engine.Dialer.Dial(waiting, w.host)
		switch {
		case err == nil:
			w.free = w.slots.take(accepting)
			if off := w.callOff(accepting); off != nil || ctx.Err() != nil {
				conn.Close()
				return nil, off
			}
			w.tell(Event{Type: FactLearned, Key: FactAway, Value: No})
			return conn, nil
		case waiting.Err() == nil && !offline(err):
			return nil, notReached(err, w.host)
		}
	}
}

// reach gets a new connection after the last one was lost, for cause. It gives up when the host was out of reach for too long; then, and when
// ctx ends, there is no connection.
func (w *worker) reach(ctx context.Context, cause error) (Conn, *Result) {
	if w.lost.IsZero() {
		w.lost = time.Now()
		w.tell(Event{Type: FactLearned, Key: FactReconnect, Value: Lost})
	}
	// A host that turns us away may be in the middle of restarting what logs people in; one that does so twice means it.
	for refusals := 0; refusals < 2; {
		left := w.host.Timeouts.Reconnect - time.Since(w.lost)
		if left <= 0 || !sleep(ctx, min(pause(w.tries), left)) {
			break
		}
		w.tries++
		conn, err := w.engine.Dialer.Dial(ctx, w.host)
		if err == nil {
			return conn, nil
		}
		cause = err
		if offline(err) {
			refusals = 0
		} else {
			refusals++
		}
	}
	if ctx.Err() != nil {
		return nil, nil
	}
	if !w.asked {
		return nil, notReached(cause, w.host)
	}
	return nil, w.unknown(codeLost, fmt.Sprintf("out of reach for %v: %s", time.Since(w.lost).Round(time.Second), reasonOf(cause, w.host)))
}

// sleep waits, and reports whether it could to the end.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// offline reports whether an error of a [Dialer] says that nothing answered. One that does not say is taken for that too.
func offline(err error) bool {
	var refusal Refusal
	return !errors.As(err, &refusal) || refusal.Offline()
}
