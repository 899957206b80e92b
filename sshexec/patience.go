package sshexec

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// patience is how long one login may take. Its clock stands still while a person is asked for a passphrase or has to
// touch a key, and while other logins have to end first.
type patience struct {
	cancel context.CancelCauseFunc
	late   error
	leave  func() bool // lets the Pool's context go

	mu    sync.Mutex
	timer *time.Timer
	left  time.Duration
	since time.Time // when the clock was started
}

// tooLate ends a context whose patience is over.
type tooLate struct{ after time.Duration }

func (t tooLate) Error() string { return fmt.Sprintf("no answer within %v", t.after) }

// newPatience returns a context that ends with ctx, with the Pool, or when the clock has run for so long. The clock stands
// still at first.
func (p *Pool) newPatience(ctx context.Context, limit time.Duration) (context.Context, *patience) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(p.ctx, func() { cancel(errClosed) })
	return ctx, &patience{cancel: cancel, left: limit, late: tooLate{limit}, leave: stop}
}

// run starts the clock.
func (p *patience) run() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.since = time.Now()
	p.timer = time.AfterFunc(p.left, func() { p.cancel(p.late) })
}

// hold stops the clock.
func (p *patience) hold() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timer != nil && p.timer.Stop() {
		p.left -= time.Since(p.since)
	}
}

// end gives the context back.
func (p *patience) end() {
	p.hold()
	p.leave()
	p.cancel(context.Canceled)
}
