package fleet

import (
	"context"
	"sync"

	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// Each calls f once for every host, in order, at most parallel at a time, and returns when all calls have. Once ctx has ended, the hosts that
// still wait get their call at once, so that f sees the context's end and can say so.
func Each(ctx context.Context, hosts []*inventory.Host, parallel int, f func(ctx context.Context, h *inventory.Host)) {
	var calls sync.WaitGroup
	defer calls.Wait()
	slots := make(chan struct{}, max(1, parallel))
	for _, h := range hosts {
		var free func()
		select {
		case slots <- struct{}{}:
			free = func() { <-slots }
		case <-ctx.Done():
			free = func() {}
		}
		calls.Go(func() {
			defer free()
			f(ctx, h)
		})
	}
}
