package host

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// awayPause is the longest pause between two looks for a host that is not there.
const awayPause = 5 * time.Minute

// firstLooks is how far the first looks at two hosts are apart: a thousand logins at once leave the machine nothing to draw with.
const firstLooks = 2 * time.Millisecond

// Monitor keeps an eye on hosts: one goroutine and one connection each, until it is closed.
type Monitor struct {
	every  time.Duration
	paused atomic.Bool
	wake   map[string]chan struct{} // each holds one
	cancel context.CancelFunc
	all    sync.WaitGroup
}

// NewMonitor begins to look at hosts, about every so often, and gives what it finds to sink, from one goroutine. Hosts that are away
// are looked for less and less often, and those that turn us away rarely. The caller closes the monitor.
func NewMonitor(d Dialer, inv *inventory.Inventory, hosts []*inventory.Host, every time.Duration, sink func(HostStatus)) *Monitor {
	ctx, cancel := context.WithCancel(context.Background())
	m := &Monitor{every: max(every, time.Second), wake: make(map[string]chan struct{}), cancel: cancel}
	for _, h := range hosts {
		m.wake[h.Name] = make(chan struct{}, 1)
	}
	found := make(chan HostStatus)
	m.all.Go(func() {
		defer close(found)
		var looking sync.WaitGroup
		defer looking.Wait()
		pace := time.NewTicker(firstLooks)
		defer pace.Stop()
		for _, h := range hosts {
			looking.Go(func() { m.watch(ctx, newLookout(d, inv, h), m.wake[h.Name], found) })
			select {
			case <-pace.C:
			case <-ctx.Done():
				return
			}
		}
	})
	m.all.Go(func() {
		for status := range found {
			sink(status)
		}
	})
	return m
}

// watch looks at one host.
func (m *Monitor) watch(ctx context.Context, l *lookout, wake <-chan struct{}, found chan<- HostStatus) {
	defer l.close()
	for pause := m.every; ; {
		if !m.paused.Load() {
			status := l.look(ctx)
			if ctx.Err() != nil {
				return // what the end of it did to the look says nothing about the host
			}
			select {
			case found <- status:
			case <-ctx.Done():
				return
			}
			pause = m.pause(status, pause)
		}
		timer := time.NewTimer(pause*3/4 + rand.N(pause/2)) // so that a fleet does not answer all at once
		select {
		case <-timer.C:
		case <-wake:
			l.due = time.Time{}
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// pause is how long to leave a host alone after that.
func (m *Monitor) pause(s HostStatus, last time.Duration) time.Duration {
	switch {
	case s.Reachable:
		return m.every
	case IsOffline(s.Err):
		return min(2*last, max(awayPause, m.every))
	}
	return max(awayPause, m.every) // more failed logins may shut the address out
}

// Refresh has a host looked at again now, or once it is not paused any more.
func (m *Monitor) Refresh(host string) {
	select {
	case m.wake[host] <- struct{}{}:
	default: // it is about to be, or there is no such host
	}
}

// Pause leaves the hosts alone from now on; a look that is under way comes to its end. Connections are kept.
func (m *Monitor) Pause() { m.paused.Store(true) }

// Resume looks at all hosts again, and goes on.
func (m *Monitor) Resume() {
	m.paused.Store(false)
	for host := range m.wake {
		m.Refresh(host)
	}
}

// Close ends all looks and connections. When it returns, sink is not called any more; so it must not be called from sink.
func (m *Monitor) Close() {
	m.cancel()
	m.all.Wait()
}
