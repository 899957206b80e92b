package host

import (
	"context"
	"fmt"

	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

// Generation is a configuration that a host has activated and can activate again.
type Generation = remote.Generation

// Generations returns the generations of a host, newest first.
func (c *Client) Generations(ctx context.Context, h *inventory.Host) ([]Generation, error) {
	conn, err := c.Dialer.Dial(ctx, h)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	limit := h.Timeouts.Answer
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("the host did not list its generations within %v", limit))
	defer cancel()
	header, text, err := askAll(ctx, conn, func(token string) remote.Script {
		return remote.Generations(token, string(h.Kind))
	}, remote.MaxProbe)
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
