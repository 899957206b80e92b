package sshexec

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/internal/sshtest"
)

// pass takes n slots at once and releases them with a verdict.
func pass(t *testing.T, l *limiter, n int, v verdict) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var slots []*slot
	for range n {
		s, err := l.acquire(ctx, "web:22", "bastion")
		if err != nil {
			t.Fatal(err)
		}
		slots = append(slots, s)
	}
	for _, s := range slots {
		s.release(v)
		s.release(refusedByServer) // no effect
	}
}

func TestLimitsAdaptToRefusals(t *testing.T) {
	t.Parallel()
	l := newLimiter(32, 8)
	limits := func() (address, bastion int) {
		l.mu.Lock()
		defer l.mu.Unlock()
		address, bastion = 8, 32
		if g := l.gates["bastion web:22"]; g != nil {
			address = g.limit
		}
		if g := l.gates["via bastion"]; g != nil {
			bastion = g.limit
		}
		return address, bastion
	}
	for _, step := range []struct {
		n                int
		verdict          verdict
		address, bastion int
	}{
		{8, accepted, 8, 32},
		{1, refusedByServer, 4, 32},
		{4, refusedByServer, 1, 32},
		{1, unknownVerdict, 1, 32},
		{1, accepted, 2, 32},
		{1, refusedByBastion, 2, 16},
		{2, accepted, 3, 16},
		{1, accepted, 3, 16},
		{1, accepted, 3, 16},
		{1, accepted, 4, 16},
	} {
		pass(t, &l, step.n, step.verdict)
		if address, bastion := limits(); address != step.address || bastion != step.bastion {
			t.Errorf("after %+v the limits are %d and %d", step, address, bastion)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	var slots []*slot
	for range 4 {
		s, err := l.acquire(ctx, "web:22", "bastion")
		if err != nil {
			t.Fatal(err)
		}
		slots = append(slots, s)
	}
	cancel()
	if _, err := l.acquire(ctx, "web:22", "bastion"); err == nil {
		t.Error("a slot beyond the limit")
	}
	for _, s := range slots {
		s.release(unknownVerdict)
	}
	pass(t, &l, 4, unknownVerdict)
	if len(l.total) != 0 {
		t.Errorf("%d slots in use", len(l.total))
	}
}

func TestLoginIsNotRepeatedAtAddressThatRefusesForLongerThanTheTimeout(t *testing.T) {
	t.Parallel()
	s := faultyServer(t, func(int) sshtest.Fault { return sshtest.Fault{Refuse: "Not allowed at this time\r\n"} })
	home := newTestHome(t).trust(s)
	p := home.pool()
	now := time.Now()
	p.handshakes.gates[" "+s.Addr()] = &gate{max: 8, limit: 1, refusedSince: now.Add(-20 * time.Second), refusedAt: now}
	var logins sync.WaitGroup
	for range 4 {
		logins.Go(func() {
			_, err := p.Dial(home.ctx(), targetOf(s))
			wantError(t, err, KindBusy, "Not allowed at this time")
		})
	}
	logins.Wait()
	if n := s.Connections(); n != 4 {
		t.Errorf("%d connections for 4 logins", n)
	}
}
