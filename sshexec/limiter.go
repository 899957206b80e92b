package sshexec

import (
	"context"
	"sync"
)

// limits bounds how many logins are under way, over all and to one address: a login costs a server much, and sshd turns
// away who comes in a crowd.
type limiter struct {
	total     chan struct{}
	maxPerAddress int

	mu   sync.Mutex
	perAddress map[string]*addressSlots
}

// gate is the slots of one address, for as long as somebody wants one.
type addressSlots struct {
	slots  chan struct{}
	users int
}

func newLimiter(all, perEach int) limiter {
	return limiter{total: make(chan struct{}, all), maxPerAddress: perEach, perAddress: make(map[string]*addressSlots)}
}

// acquire waits for a slot, and returns how to give it back.
func (l *limiter) acquire(ctx context.Context, address string) (release func(), err error) {
	l.mu.Lock()
	g := l.perAddress[address]
	if g == nil {
		g = &addressSlots{slots: make(chan struct{}, l.maxPerAddress)}
		l.perAddress[address] = g
	}
	g.users++
	l.mu.Unlock()

	leave := func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if g.users--; g.users == 0 {
			delete(l.perAddress, address)
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
	case l.total <- struct{}{}:
	case <-ctx.Done():
		<-g.slots
		leave()
		return nil, context.Cause(ctx)
	}
	return func() {
		<-l.total
		<-g.slots
		leave()
	}, nil
}
