package cli

import (
	"context"

	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// visit lets do reach hosts, until somebody interrupts, once: for what is no run, and leaves nothing behind to attach to.
func (env *Env) visit(ctx context.Context, do func(ctx context.Context, d host.Dialer) error) error {
	ctx, stop := untilInterrupted(ctx)
	defer stop()
	pool := newPool(env)
	defer pool.Close()
	return do(ctx, dialer{pool})
}

// inOrder asks hosts, so many at once, and shows what came of each in the order of the hosts, as soon as it is its turn.
func inOrder[T any](ctx context.Context, hosts []*inventory.Host, parallel int, ask func(context.Context, *inventory.Host) T, show func(*inventory.Host, T)) {
	answers := make(map[string]chan T)
	for _, h := range hosts {
		answers[h.Name] = make(chan T, 1)
	}
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		host.Each(ctx, hosts, parallel, func(ctx context.Context, h *inventory.Host) { answers[h.Name] <- ask(ctx, h) })
	}()
	for _, h := range hosts {
		show(h, <-answers[h.Name])
	}
	<-asked
}
