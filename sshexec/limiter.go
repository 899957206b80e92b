package sshexec

import (
	"context"
	"sync"
)

// limiter bounds how many handshakes run at once, in total and per address. Handshakes are
// expensive for a server, and sshd drops connections when too many are unauthenticated (MaxStartups
// in sshd_config(5)).
type limiter struct {
	total         chan struct{}
	maxPerAddress int

	mu         sync.Mutex
	perAddress map[string]*addressSlots
}

// addressSlots holds the slots of one address while a caller holds or waits for one.
type addressSlots struct {
	slots chan struct{}
	users int
}

func newLimiter(total, perAddress int) limiter {
	return limiter{
		total:         make(chan struct{}, total),
		maxPerAddress: perAddress,
		perAddress:    make(map[string]*addressSlots),
	}
}

// acquire blocks until a slot is free or ctx is done. The caller must call release.
func (l *limiter) acquire(ctx context.Context, address string) (release func(), err error) {
	l.mu.Lock()
	a := l.perAddress[address]
	if a == nil {
		a = &addressSlots{slots: make(chan struct{}, l.maxPerAddress)}
		l.perAddress[address] = a
	}
	a.users++
	l.mu.Unlock()

	leave := func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if a.users--; a.users == 0 {
			delete(l.perAddress, address)
		}
	}
	// Acquire the address slot first: a caller that waits for one address must not hold a slot that
	// others could use.
	select {
	case a.slots <- struct{}{}:
	case <-ctx.Done():
		leave()
		return nil, context.Cause(ctx)
	}
	select {
	case l.total <- struct{}{}:
	case <-ctx.Done():
		<-a.slots
		leave()
		return nil, context.Cause(ctx)
	}
	return func() {
		<-l.total
		<-a.slots
		leave()
	}, nil
}
