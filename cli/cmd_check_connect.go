package cli

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// connectFindings checks every host over SSH and returns a finding for each on which a deploy could
// not start. Warnings go to standard error.
func connectFindings(ctx context.Context, env *Env, inv *inventory.Inventory, hosts []*inventory.Host) ([]inventory.Finding, error) {
	ctx, stop := untilInterrupted(ctx)
	defer stop()
	pool := newPool(env)
	defer pool.Close()

	results := make(map[string]*fleet.Result)
	var mu sync.Mutex
	client := &host.Client{Dialer: dialer{pool}, Inventory: inv, Operator: env.operator()}
	host.Each(ctx, hosts, inv.Parallel, func(ctx context.Context, h *inventory.Host) {
		result := client.Preflight(ctx, h, func(line string) {
			fmt.Fprintf(env.Err, "%s: warning: %s\n", h.Name, line)
		})
		mu.Lock()
		defer mu.Unlock()
		results[h.Name] = result
	})
	if ctx.Err() != nil {
		return nil, exit(fleet.ExitInterrupted, ctx.Err())
	}

	var findings []inventory.Finding
	for _, h := range hosts {
		r := results[h.Name]
		switch {
		case r.Outcome == fleet.Skipped:
			fmt.Fprintf(env.Err, "%s: skipped: %s\n", h.Name, r.Reason)
		case !r.Outcome.Good():
			reason := strings.TrimPrefix(withoutName(r.Reason, h), string(r.Step)+": ")
			findings = append(findings, inv.Finding(h, fmt.Sprintf("host %q: %s: %s", h.Name, r.Step, reason), r.Hint))
		}
	}
	return findings, nil
}
