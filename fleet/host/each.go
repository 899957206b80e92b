package host

import (
	"context"
	"sync"

	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// Each calls f once for every host, in order, at most parallel at a time, and returns when all calls have. Once ctx has ended, the hosts that
// still wait get their call at once, so that f sees the context's end and can say so.
func Each(ctx context.Context, hosts []*inventory.Host, parallel int, f func(ctx context.Context, h *inventory.Host)) {
	NewSlots(parallel).Each(ctx, hosts, f)
}

// slots are how many hosts are worked on at once.
type Slots chan struct{}

func NewSlots(parallel int) Slots { return make(Slots, max(1, parallel)) }

// take waits for a slot, and returns what frees it. Once ctx has ended it waits no longer, and there is nothing to free.
func (s Slots) Take(ctx context.Context) (free func()) {
	select {
	case s <- struct{}{}:
		return func() { <-s }
	case <-ctx.Done():
		return func() {}
	}
}

func (s Slots) Each(ctx context.Context, hosts []*inventory.Host, f func(ctx context.Context, h *inventory.Host)) {
	var calls sync.WaitGroup
	defer calls.Wait()
	for _, h := range hosts {
		free := s.Take(ctx)
		calls.Go(func() {
			defer free()
			f(ctx, h)
		})
	}
}
