package sshexec

import (
	"context"
	"slices"
	"sync"
	"time"
)

// limiter bounds how many handshakes run at once: in total, to each address and through each
// bastion. Handshakes are expensive for a server, and sshd drops connections if too many are
// unauthenticated (MaxStartups in sshd_config(5)) or if the address has misbehaved
// (PerSourcePenalties). So the bound of a server that refuses connections is halved, and grows
// again while it accepts them.
type limiter struct {
	total         chan struct{}
	maxPerAddress int
	maxPerBastion int

	mu    sync.Mutex
	gates map[string]*gate
}

// gate bounds the handshakes with one server. The limiter's mu guards it.
type gate struct {
	max, limit   int
	active       int
	waiting      []chan struct{} // closed once the waiter is active
	users        int             // active or waiting
	accepted     int             // in a row, since the limit last changed
	refusedSince time.Time       // the first refusal since a connection was accepted
	refusedAt    time.Time       // the last one
}

// refusalMemory is after how long a refusal has nothing to do with the previous one.
const refusalMemory = time.Minute

// verdict is what a server made of a connection.
type verdict int

const (
	unknownVerdict verdict = iota // nothing answered, or the attempt was abandoned
	accepted
	refusedByServer
	refusedByBastion
)

// slot is the right to perform one handshake.
type slot struct {
	limiter          *limiter
	address, bastion string // keys of gates; bastion is "" for direct connections
	once             sync.Once
}

func newLimiter(total, perAddress int) limiter {
	return limiter{
		total:         make(chan struct{}, total),
		maxPerAddress: perAddress,
		maxPerBastion: total,
		gates:         make(map[string]*gate),
	}
}

// acquire blocks until a handshake with an address, through a bastion unless that is "", may start,
// or ctx is done. The caller must release the slot.
func (l *limiter) acquire(ctx context.Context, address, bastion string) (*slot, error) {
	s := &slot{limiter: l, address: bastion + " " + address}
	if bastion != "" {
		s.bastion = "via " + bastion
	}
	// Take the slot of the address first: a caller that waits for one address must not hold a slot
	// that others could use.
	if err := l.enter(ctx, s.address, l.maxPerAddress); err != nil {
		return nil, err
	}
	if s.bastion != "" {
		if err := l.enter(ctx, s.bastion, l.maxPerBastion); err != nil {
			l.leave(s.address, unknownVerdict)
			return nil, err
		}
	}
	select {
	case l.total <- struct{}{}:
		return s, nil
	case <-ctx.Done():
		s.leave(unknownVerdict)
		return nil, context.Cause(ctx)
	}
}

// release lets another handshake start. Only the first call has an effect.
func (s *slot) release(v verdict) {
	s.once.Do(func() {
		<-s.limiter.total
		s.leave(v)
	})
}

func (s *slot) leave(v verdict) {
	ofBastion := accepted
	switch v {
	case unknownVerdict:
		ofBastion = unknownVerdict
	case refusedByBastion:
		v, ofBastion = unknownVerdict, refusedByServer
	}
	s.limiter.leave(s.address, v)
	if s.bastion != "" {
		s.limiter.leave(s.bastion, ofBastion)
	}
}

// refusedFor returns for how long the server has refused every connection.
func (s *slot) refusedFor() time.Duration {
	l := s.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	var longest time.Duration
	for _, key := range []string{s.address, s.bastion} {
		if g := l.gates[key]; g != nil && !g.refusedSince.IsZero() {
			longest = max(longest, time.Since(g.refusedSince))
		}
	}
	return longest
}

// enter waits until a handshake may pass a gate.
func (l *limiter) enter(ctx context.Context, key string, limit int) error {
	l.mu.Lock()
	g := l.gates[key]
	if g == nil {
		g = &gate{max: limit, limit: limit}
		l.gates[key] = g
	}
	g.users++
	turn := make(chan struct{})
	g.waiting = append(g.waiting, turn)
	g.admit()
	l.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	if i := slices.Index(g.waiting, turn); i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
		g.active++ // which leave takes back
	}
	l.mu.Unlock()
	l.leave(key, unknownVerdict)
	return context.Cause(ctx)
}

func (l *limiter) leave(key string, v verdict) {
	l.mu.Lock()
	defer l.mu.Unlock()
	g := l.gates[key]
	g.active--
	g.users--
	g.adapt(v)
	g.admit()
	if g.users == 0 && g.limit == g.max && g.refusedSince.IsZero() {
		delete(l.gates, key)
	}
}

// admit lets as many wait no longer as the limit allows.
func (g *gate) admit() {
	for g.active < g.limit && len(g.waiting) > 0 {
		close(g.waiting[0])
		g.waiting = g.waiting[1:]
		g.active++
	}
}

// adapt changes the limit after a verdict.
func (g *gate) adapt(v verdict) {
	switch v {
	case accepted:
		g.refusedSince, g.refusedAt = time.Time{}, time.Time{}
		if g.accepted++; g.accepted >= g.limit && g.limit < g.max {
			g.limit++
			g.accepted = 0
		}
	case refusedByServer:
		now := time.Now()
		if now.Sub(g.refusedAt) > refusalMemory {
			g.refusedSince = now
		}
		g.refusedAt = now
		g.limit, g.accepted = max(1, g.limit/2), 0
	}
}
