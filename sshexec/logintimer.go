package sshexec

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// patience is how long one login may take. Its clock stands still while a person is asked for a passphrase or has to
// touch a key, and while other logins have to end first.
type loginTimer struct {
	cancel context.CancelCauseFunc
	timeoutErr   error
	detach  func() bool // lets the Pool's context go

	mu    sync.Mutex
	timer *time.Timer
	remaining  time.Duration
	startedAt time.Time // when the clock was started
}

// tooLate ends a context whose patience is over.
type timeoutError struct{ after time.Duration }

func (t timeoutError) Error() string { return fmt.Sprintf("no answer within %v", t.after) }

// newPatience returns a context that ends with ctx, with the Pool, or when the clock has run for so long. The clock stands
// still at first.
func (p *Pool) newLoginTimer(ctx context.Context, limit time.Duration) (context.Context, *loginTimer) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(p.ctx, func() { cancel(errClosed) })
	return ctx, &loginTimer{cancel: cancel, remaining: limit, timeoutErr: timeoutError{limit}, detach: stop}
}

// run starts the clock.
func (p *loginTimer) resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.startedAt = time.Now()
	p.timer = time.AfterFunc(p.remaining, func() { p.cancel(p.timeoutErr) })
}

// hold stops the clock.
func (p *loginTimer) pause() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timer != nil && p.timer.Stop() {
		p.remaining -= time.Since(p.startedAt)
	}
}

// end gives the context back.
func (p *loginTimer) stop() {
	p.pause()
	p.detach()
	p.cancel(context.Canceled)
}
