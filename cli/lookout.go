package cli

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/tui"
)

// lookout looks whether hosts answer, again and again.
type lookout struct {
	paused atomic.Bool
	wake   map[string]chan struct{}
	cancel context.CancelFunc
	all    sync.WaitGroup
}

func newLookout(d fleet.Dialer, inv *inventory.Inventory, every time.Duration, sink func(tui.Status)) *lookout {
	ctx, cancel := context.WithCancel(context.Background())
	l := &lookout{wake: map[string]chan struct{}{}, cancel: cancel}
	for _, h := range inv.Hosts {
		wake := make(chan struct{}, 1)
		l.wake[h.Name] = wake
		l.all.Go(func() {
			for {
				if !l.paused.Load() {
					conn, err := d.Dial(ctx, h)
					if ctx.Err() != nil {
						return
					}
					if err == nil {
						conn.Close()
					}
					sink(tui.Status{Host: h.Name, Reachable: err == nil, Err: err, Time: time.Now()})
				}
				select {
				case <-time.After(every):
				case <-wake:
				case <-ctx.Done():
					return
				}
			}
		})
	}
	return l
}

func (l *lookout) Refresh(host string) {
	select {
	case l.wake[host] <- struct{}{}:
	default:
	}
}
func (l *lookout) Pause()  { l.paused.Store(true) }
func (l *lookout) Resume() { l.paused.Store(false) }
func (l *lookout) Close()  { l.cancel(); l.all.Wait() }
