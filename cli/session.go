package cli

import (
	"cmp"
	"context"
	"fmt"

	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// withDialer calls do with a dialer for hosts, once the operator has accepted or declined their
// unknown keys, and closes all connections afterwards. The first ctrl-c cancels ctx: it is for
// commands that start no run, and so leave nothing to attach to.
func (env *Env) withDialer(ctx context.Context, hosts []*inventory.Host, do func(ctx context.Context, d host.Dialer) error) error {
	ctx, stop := untilInterrupted(ctx)
	defer stop()
	pool := newPool(env)
	defer pool.Close()
	if err := env.acceptHostKeys(ctx, pool, hosts); err != nil {
		return err
	}
	return do(ctx, dialer{pool, env})
}

// withClient is like withDialer, with a client for hosts of an inventory.
func (env *Env) withClient(
	ctx context.Context, inv *inventory.Inventory, hosts []*inventory.Host, parallel int, do func(context.Context, *host.Client) error,
) error {
	return env.withDialer(ctx, hosts, func(ctx context.Context, d host.Dialer) error {
		parallel := env.parallel(d, cmp.Or(parallel, inv.Parallel), len(inv.Hosts))
		return do(ctx, &host.Client{Dialer: d, Inventory: inv, Parallel: parallel, Operator: env.operator()})
	})
}

// parallel returns how many hosts to work on at once, of as many as the operator allows. If this
// machine allows fewer, it prints that.
func (env *Env) parallel(d host.Dialer, allowed, hosts int) int {
	pooled, ok := d.(dialer)
	if !ok {
		return allowed
	}
	n := min(allowed, pooled.pool.MaxConns())
	if n < min(allowed, hosts) {
		fmt.Fprintf(env.Err, "fleetctl: hosts at once: %d instead of %d, because of this machine's limit of open files (ulimit -n)\n", n, allowed)
	}
	return n
}

// inOrder calls query for each host, with at most parallel calls at once, and show with each
// result: in the order of hosts, as early as that allows.
func inOrder[T any](
	ctx context.Context, hosts []*inventory.Host, parallel int,
	query func(context.Context, *inventory.Host) T, show func(*inventory.Host, T),
) {
	results := make(map[string]chan T)
	for _, h := range hosts {
		results[h.Name] = make(chan T, 1)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		host.Each(ctx, hosts, parallel, func(ctx context.Context, h *inventory.Host) { results[h.Name] <- query(ctx, h) })
	}()
	for _, h := range hosts {
		show(h, <-results[h.Name])
	}
	<-done
}
