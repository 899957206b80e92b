package sshexec

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// loginTimer limits how long one login may take. It is paused while the operator is prompted for a
// passphrase or has to touch a security key, and while the login waits for other logins to finish.
type loginTimer struct {
	cancel     context.CancelCauseFunc
	timeoutErr error
	detach     func() bool // unregisters from the Pool's context

	mu        sync.Mutex
	timer     *time.Timer
	remaining time.Duration
	startedAt time.Time // when the timer was last resumed
}

// timeoutError is the cause of a context whose loginTimer expired.
type timeoutError struct{ after time.Duration }

func (t timeoutError) Error() string { return fmt.Sprintf("no answer within %v", t.after) }

// newLoginTimer returns a paused timer and a context. The context is done when ctx is, when the
// Pool is closed, or when the timer has run for limit. The caller must call stop.
func (p *Pool) newLoginTimer(ctx context.Context, limit time.Duration) (context.Context, *loginTimer) {
	ctx, cancel := context.WithCancelCause(ctx)
	detach := context.AfterFunc(p.ctx, func() { cancel(errClosed) })
	return ctx, &loginTimer{cancel: cancel, remaining: limit, timeoutErr: timeoutError{limit}, detach: detach}
}

func (t *loginTimer) resume() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.startedAt = time.Now()
	t.timer = time.AfterFunc(t.remaining, func() { t.cancel(t.timeoutErr) })
}

func (t *loginTimer) pause() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.timer != nil && t.timer.Stop() {
		t.remaining -= time.Since(t.startedAt)
	}
}

// stop stops the timer and releases its context.
func (t *loginTimer) stop() {
	t.pause()
	t.detach()
	t.cancel(context.Canceled)
}
