package cli

import (
	"context"
	"fmt"
	"sync"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// connectFindings checks every host over SSH and returns all that the next deploy would trip over.
// Hosts that are not checked are printed on standard error.
func connectFindings(ctx context.Context, env *Env, inv *inventory.Inventory, hosts []*inventory.Host) ([]inventory.Finding, error) {
	ctx, stop := untilInterrupted(ctx)
	defer stop()
	pool := newPool(env)
	defer pool.Close()

	checked := make([]host.Checked, len(hosts))
	places := make(map[*inventory.Host]int)
	for i, h := range hosts {
		places[h] = i
	}
	var mu sync.Mutex
	client := &host.Client{Dialer: dialer{pool, env}, Inventory: inv, Operator: env.operator()}
	host.Each(ctx, hosts, inv.Parallel, func(ctx context.Context, h *inventory.Host) {
		result := client.Check(ctx, h)
		mu.Lock()
		defer mu.Unlock()
		checked[places[h]] = result
	})
	if ctx.Err() != nil {
		return nil, exit(fleet.ExitInterrupted, ctx.Err())
	}
	host.SameMachines(checked)

	var findings []inventory.Finding
	for _, result := range checked {
		h := result.Host
		if result.Skipped != "" {
			fmt.Fprintf(env.Err, "%s: skipped: %s\n", h.Name, result.Skipped)
		}
		for _, f := range result.Findings {
			finding := inv.Finding(h, fmt.Sprintf("host %q: %s", h.Name, withoutName(f.Text, h)), f.Hint)
			finding.Host, finding.Code, finding.Warning = h.Name, string(f.Code), f.Warning
			findings = append(findings, finding)
		}
	}
	return findings, nil
}
