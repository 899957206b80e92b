package sshexec

import (
	"context"
	"sync"
)

// limiter bounds how many handshakes run at once, in total and per address. Handshakes are
// expensive for a server, and sshd drops connections when too many are unauthenticated (MaxStartups
// in sshd_config(5)).
//
// Logins to hosts that were logged in to before have slots of their own: a run confirms a switch
// over a new login, which must not wait until all other hosts have been logged in to.
type limiter struct {
	first, again  chan struct{} // in total
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
		first:         make(chan struct{}, total),
		again:         make(chan struct{}, total),
		maxPerAddress: perAddress,
		perAddress:    make(map[string]*addressSlots),
	}
}

// acquire blocks until a slot is free or ctx is done. again means that there was a login to the
// host before. The caller must call release.
func (l *limiter) acquire(ctx context.Context, address string, again bool) (release func(), err error) {
	total := l.first
	if again {
		total = l.again
	}
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
	case total <- struct{}{}:
	case <-ctx.Done():
		<-a.slots
		leave()
		return nil, context.Cause(ctx)
	}
	return func() {
		<-total
		<-a.slots
		leave()
	}, nil
}
