package sshexec

import (
	"context"
	"errors"
	"sync"
)

var errClosed = errors.New("all connections are being closed")

// tasks are the goroutines of a Pool or a Conn: they begin while it is open, and closing it waits for them.
type tasks struct {
	mu     sync.Mutex
	closed bool
	group  sync.WaitGroup
}

// start runs f in a goroutine, or reports false where it is too late.
func (t *tasks) start(f func()) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.group.Go(f)
	return true
}

// seal lets nothing more begin.
func (t *tasks) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
}

func (t *tasks) wait() { t.group.Wait() }

// await returns what f returns, or ctx's cause as soon as ctx ends: much of what the SSH library does can block for as
// long as the other side likes. What f returns after that goes to late.
func await[T any](ctx context.Context, t *tasks, f func() (T, error), late func(T)) (T, error) {
	type result struct {
		value T
		err   error
	}
	var none T
	handOver := make(chan result)
	started := t.start(func() {
		value, err := f()
		select {
		case handOver <- result{value, err}:
		case <-ctx.Done():
			if err == nil && late != nil {
				late(value)
			}
		}
	})
	if !started {
		return none, errClosed
	}
	select {
	case r := <-handOver:
		return r.value, r.err
	case <-ctx.Done():
		return none, context.Cause(ctx)
	}
}

// shared makes each thing once for all who ask for it, and keeps it.
type cache[K comparable, V any] struct {
	tasks *tasks
	mu    sync.Mutex
	entries   map[K]*cacheEntry[V]
}

type cacheEntry[V any] struct {
	done  chan struct{} // closed when value and err are there
	value V
	err   error
}

// get returns the thing for key: one that is there and usable, one that is being made, or a new one. Making goes on when
// ctx ends, for the others who wait. A failure is for those who waited, and is forgotten.
func (s *cache[K, V]) get(ctx context.Context, key K, usable func(V) bool, create func() (V, error)) (V, error) {
	var none V
	s.mu.Lock()
	m := s.entries[key]
	if m != nil {
		select {
		case <-m.done:
			if !usable(m.value) {
				m = nil
			}
		default:
		}
	}
	if m == nil {
		m = &cacheEntry[V]{done: make(chan struct{})}
		started := s.tasks.start(func() {
			m.value, m.err = create()
			if m.err != nil {
				s.mu.Lock()
				delete(s.entries, key)
				s.mu.Unlock()
			}
			close(m.done)
		})
		if !started {
			s.mu.Unlock()
			return none, errClosed
		}
		if s.entries == nil {
			s.entries = make(map[K]*cacheEntry[V])
		}
		s.entries[key] = m
	}
	s.mu.Unlock()
	select {
	case <-m.done:
		return m.value, m.err
	case <-ctx.Done():
		return none, context.Cause(ctx)
	}
}
