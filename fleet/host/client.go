package host

import (
	"cmp"
	"context"

	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// Client queries and controls the hosts of one inventory. Its methods are safe for concurrent use.
// Those that take several hosts call their sink from one goroutine, as results arrive, and return
// after the last result.
type Client struct {
	Dialer    Dialer
	Inventory *inventory.Inventory
	Parallel  int    // hosts at once; 0 means the inventory's setting
	Operator  string // user@machine

	// SudoPassword is called when sudo on a host asks for a password. again is set if sudo rejected
	// the last one. If it is nil, such hosts refuse.
	SudoPassword func(ctx context.Context, host string, again bool) (string, error)
}

// each calls query once for every host, and sink with each result.
func each[T any](
	ctx context.Context, c *Client, hosts []*inventory.Host,
	query func(context.Context, *inventory.Host) T, sink func(T),
) {
	results := make(chan T)
	go func() {
		defer close(results)
		Each(ctx, hosts, cmp.Or(c.Parallel, c.Inventory.Parallel), func(ctx context.Context, h *inventory.Host) {
			results <- query(ctx, h)
		})
	}()
	for r := range results {
		sink(r)
	}
}
