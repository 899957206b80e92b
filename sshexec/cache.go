package sshexec

import (
	"context"
	"sync"
)

// cache creates one value per key, on demand, and shares it between all callers.
type cache[K comparable, V any] struct {
	tasks   *tasks
	mu      sync.Mutex
	entries map[K]*cacheEntry[V]
}

type cacheEntry[V any] struct {
	done  chan struct{} // closed once value and err are set
	value V
	err   error
}

// get returns the value for key. It calls create if there is no value, or if usable rejects the
// existing one; concurrent callers wait for the same call. create keeps running for the other
// callers if ctx is done. Errors are returned to the callers that waited and are not cached.
func (c *cache[K, V]) get(ctx context.Context, key K, usable func(V) bool, create func() (V, error)) (V, error) {
	var zero V
	c.mu.Lock()
	e := c.entries[key]
	if e != nil {
		select {
		case <-e.done:
			if !usable(e.value) {
				e = nil
			}
		default:
		}
	}
	if e == nil {
		e = &cacheEntry[V]{done: make(chan struct{})}
		started := c.tasks.start(func() {
			e.value, e.err = create()
			if e.err != nil {
				c.mu.Lock()
				delete(c.entries, key)
				c.mu.Unlock()
			}
			close(e.done)
		})
		if !started {
			c.mu.Unlock()
			return zero, errClosed
		}
		if c.entries == nil {
			c.entries = make(map[K]*cacheEntry[V])
		}
		c.entries[key] = e
	}
	c.mu.Unlock()
	select {
	case <-e.done:
		return e.value, e.err
	case <-ctx.Done():
		return zero, context.Cause(ctx)
	}
}
