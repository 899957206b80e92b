package host

import (
	"context"
	"maps"
	"net"
	"time"

	"github.com/markus-barta/nixfleet/fleet/health"
)

const agentTimeout = 5 * time.Second

// askAgent requests the health of a host from its agent, which listens on the given socket there.
func askAgent(ctx context.Context, conn Conn, socket string) (*health.Health, error) {
	ctx, cancel := context.WithTimeout(ctx, agentTimeout)
	defer cancel()
	client := health.NewAgentClient(func(ctx context.Context) (net.Conn, error) { return conn.DialContext(ctx, "unix", socket) })
	defer client.Close()
	return client.Health(ctx)
}

// withAgent combines the answer of an agent with the last probe, which may be older. The agent is
// closer to the machine; only the probe can read the login user's files.
func withAgent(probed, agent health.Health) health.Health {
	both := agent
	both.Kind, both.Checkout, both.Job = probed.Kind, probed.Checkout, probed.Job
	switch {
	case agent.Kind != probed.Kind: // one user's home on the agent's machine
		both.System, both.FailedUnits, both.NoUnits = probed.System, probed.FailedUnits, ""
	case agent.System.Revision == "" && agent.System.Deployed == probed.System.Deployed:
		both.System.Revision = probed.System.Revision
	}
	both.Taken = maps.Clone(agent.Taken)
	if both.Taken == nil {
		both.Taken = make(map[string]time.Time)
	}
	both.Taken["checkout"], both.Taken["job"] = probed.Time, probed.Time
	if both.NoUnits != "" {
		both.FailedUnits, both.NoUnits = probed.FailedUnits, ""
		both.Taken["failed_units"] = probed.Time
	}
	return both
}
