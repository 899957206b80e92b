package host

import (
	"context"
	"sync"

	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// Each calls f once for every host, in order, with at most parallel calls at once. It returns when
// all calls have returned. Once ctx is done, the remaining calls start immediately, so that f can
// report the cancellation.
func Each(ctx context.Context, hosts []*inventory.Host, parallel int, f func(ctx context.Context, h *inventory.Host)) {
	NewSlots(parallel).Each(ctx, hosts, f)
}

// Slots limits how many hosts are worked on at once.
type Slots chan struct{}

// NewSlots returns as many free slots, but at least one.
func NewSlots(parallel int) Slots { return make(Slots, max(1, parallel)) }

// Take waits for a slot and returns a function that frees it. Once ctx is done it returns
// immediately, without a slot.
func (s Slots) Take(ctx context.Context) (free func()) {
	select {
	case s <- struct{}{}:
		return func() { <-s }
	case <-ctx.Done():
		return func() {}
	}
}

// Each is like the function [Each], with these slots.
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
