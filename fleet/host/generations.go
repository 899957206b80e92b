package host

import (
	"context"
	"fmt"

	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

// Generation is what a host ran once, and could again.
type Generation = remote.Generation

// Generations asks a host to which generations it could be rolled back, and that which it is at, the newest first.
func Generations(ctx context.Context, d Dialer, h *inventory.Host) ([]Generation, error) {
	conn, err := d.Dial(ctx, h)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeoutCause(ctx, probeTimeout, fmt.Errorf("the host did not say which generations it has within %v", probeTimeout))
	defer cancel()
	header, text, err := askAll(ctx, conn, func(token string) remote.Script { return remote.Generations(token, string(h.Kind)) }, remote.MaxProbe)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, err
	case header.Word != "generations":
		return nil, fmt.Errorf("the host answered %q", header.Word)
	}
	return remote.ParseGenerations(text), nil
}
