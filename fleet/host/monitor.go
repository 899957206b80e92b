package host

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// maxPause is the longest pause between two attempts to ask a host that does not answer.
const maxPause = 5 * time.Minute

// startInterval spreads the first attempts: a thousand logins at once would leave no time to draw.
const startInterval = 2 * time.Millisecond

// Monitor asks hosts for their health again and again until it is closed. Each host has a goroutine
// and a connection of its own.
type Monitor struct {
	interval time.Duration
	paused   atomic.Bool
	wake     map[string]chan struct{} // by host; each has room for one signal
	cancel   context.CancelFunc
	wg       sync.WaitGroup
}

// Monitor starts a monitor that asks each host about once per interval, and passes the results to
// sink from one goroutine. It asks hosts that are offline less and less often, and hosts that
// refuse the login rarely. The caller closes the monitor.
func (c *Client) Monitor(hosts []*inventory.Host, interval time.Duration, sink func(Status)) *Monitor {
	ctx, cancel := context.WithCancel(context.Background())
	m := &Monitor{interval: max(interval, time.Second), wake: make(map[string]chan struct{}), cancel: cancel}
	for _, h := range hosts {
		m.wake[h.Name] = make(chan struct{}, 1)
	}
	found := make(chan Status)
	m.wg.Go(func() {
		defer close(found)
		var watching sync.WaitGroup
		defer watching.Wait()
		pace := time.NewTicker(startInterval)
		defer pace.Stop()
		for _, h := range hosts {
			watching.Go(func() { m.watch(ctx, c.newPoller(h), m.wake[h.Name], found) })
			select {
			case <-pace.C:
			case <-ctx.Done():
				return
			}
		}
	})
	m.wg.Go(func() {
		for status := range found {
			sink(status)
		}
	})
	return m
}

// watch asks one host until ctx is done.
func (m *Monitor) watch(ctx context.Context, p *poller, wake <-chan struct{}, found chan<- Status) {
	defer p.close()
	for pause := m.interval; ; {
		if !m.paused.Load() {
			status := p.poll(ctx)
			if ctx.Err() != nil {
				return // the attempt was interrupted, so its result says nothing about the host
			}
			select {
			case found <- status:
			case <-ctx.Done():
				return
			}
			pause = m.pauseAfter(status, pause)
		}
		// so that hosts are not all asked at once
		timer := time.NewTimer(pause*3/4 + rand.N(pause/2))
		select {
		case <-timer.C:
		case <-wake:
			p.probeDue = time.Time{}
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// pauseAfter returns how long to wait before a host is asked again.
func (m *Monitor) pauseAfter(s Status, last time.Duration) time.Duration {
	switch {
	case s.Reachable:
		return m.interval
	case IsOffline(s.Err):
		return min(2*last, max(maxPause, m.interval))
	}
	return max(maxPause, m.interval) // more failed logins may lock the address out
}

// Refresh has a host asked now or, while the monitor is paused, once it resumes.
func (m *Monitor) Refresh(host string) {
	select {
	case m.wake[host] <- struct{}{}:
	default: // it is about to be asked, or there is no such host
	}
}

// Pause stops asking. Attempts in progress are completed, and connections are kept.
func (m *Monitor) Pause() { m.paused.Store(true) }

// Resume asks all hosts now, and continues.
func (m *Monitor) Resume() {
	m.paused.Store(false)
	for host := range m.wake {
		m.Refresh(host)
	}
}

// Close ends all attempts and connections. When it returns, sink is no longer called; so sink must
// not call it.
func (m *Monitor) Close() {
	m.cancel()
	m.wg.Wait()
}
