package sshexec

import (
	"context"
	"sync"
)

// limits bounds how many logins are under way, over all and to one address: a login costs a server much, and sshd turns
// away who comes in a crowd.
type limits struct {
	all     chan struct{}
	perEach int

	mu   sync.Mutex
	each map[string]*gate
}

// gate is the slots of one address, for as long as somebody wants one.
type gate struct {
	slots  chan struct{}
	wanted int
}

func newLimits(all, perEach int) limits {
	return limits{all: make(chan struct{}, all), perEach: perEach, each: make(map[string]*gate)}
}

// acquire waits for a slot, and returns how to give it back.
func (l *limits) acquire(ctx context.Context, address string) (release func(), err error) {
	l.mu.Lock()
	g := l.each[address]
	if g == nil {
		g = &gate{slots: make(chan struct{}, l.perEach)}
		l.each[address] = g
	}
	g.wanted++
	l.mu.Unlock()

	leave := func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if g.wanted--; g.wanted == 0 {
			delete(l.each, address)
		}
	}
	// The address first: who waits for that must not hold what others could use.
	select {
	case g.slots <- struct{}{}:
	case <-ctx.Done():
		leave()
		return nil, context.Cause(ctx)
	}
	select {
	case l.all <- struct{}{}:
	case <-ctx.Done():
		<-g.slots
		leave()
		return nil, context.Cause(ctx)
	}
	return func() {
		<-l.all
		<-g.slots
		leave()
	}, nil
}
