package sshexec

import (
	"context"
	"errors"
	"sync"
)

var errClosed = errors.New("the connection pool is closed")

// tasks tracks goroutines so that their owner can wait for them. After close, none can be started.
type tasks struct {
	mu     sync.Mutex
	closed bool
	group  sync.WaitGroup
}

// start runs f in a goroutine. It reports false, without running f, if t is closed.
func (t *tasks) start(f func()) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.group.Go(f)
	return true
}

func (t *tasks) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
}

func (t *tasks) wait() { t.group.Wait() }

// await calls f in a goroutine and returns its result, or the cause of ctx as soon as ctx is done:
// many calls into the SSH library block for as long as the peer likes. If f succeeds after that,
// await passes its value to discard, unless discard is nil.
func await[T any](ctx context.Context, t *tasks, f func() (T, error), discard func(T)) (T, error) {
	type result struct {
		value T
		err   error
	}
	var zero T
	results := make(chan result)
	started := t.start(func() {
		value, err := f()
		select {
		case results <- result{value, err}:
		case <-ctx.Done():
			if err == nil && discard != nil {
				discard(value)
			}
		}
	})
	if !started {
		return zero, errClosed
	}
	select {
	case r := <-results:
		return r.value, r.err
	case <-ctx.Done():
		return zero, context.Cause(ctx)
	}
}
