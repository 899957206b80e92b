package cli

import (
	"context"
	"errors"
	"net"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/agent"
	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
)

type agentOptions struct {
	socket string
	kind   string
	idle   time.Duration // negative: as suits the socket
	limits agent.Limits
}

func newAgent(env *Env) *cobra.Command {
	o := agentOptions{limits: agent.DefaultLimits()}
	cmd := &cobra.Command{
		Use:   "agent",
		Short: "Answer how this host fares",
		Long: `Answer how this host fares: HTTP and JSON on a unix socket, for those whom the socket's mode lets in. It changes
nothing, and it is not needed: without it fleetctl asks over SSH, less often.

Where systemd has the socket (fleetctl-agent.socket), the agent is started by the first who asks, and leaves when nobody has
been connected for a while. Elsewhere --socket makes one, mode 0660, and the agent stays.

There are GET /v1/health, GET /v1/watch?interval=2s with a line each interval, and GET /v1/version.

EXIT STATUS

0  it left: nobody asked any more, or it was told to
1  it could not listen
2  the command line is wrong`,
		Example: `  fleetctl agent --socket /tmp/agent.sock
  curl --unix-socket /tmp/agent.sock http://agent/v1/health`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return runAgent(cmd.Context(), env, o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.socket, "socket", "", "make the socket at this `path`, where systemd has none")
	flags.StringVar(&o.kind, "kind", "", "what this host is, nixos, darwin or home; else it is found out")
	flags.DurationVar(&o.idle, "idle", -1, "leave when nobody was connected for so long, 0s never; else 30s with systemd's socket, never with --socket")
	flags.Lookup("idle").DefValue = "" // it says its own
	flags.Var((*number)(&o.limits.Connections), "max-connections", "how many may be connected at once; more wait")
	flags.Var((*number)(&o.limits.Requests), "max-requests", "how many requests a second are answered; more are refused")
	flags.Var((*number)(&o.limits.HeaderBytes), "max-header", "how many `bytes` a request's header may have")
	flags.DurationVar(&o.limits.MinInterval, "min-interval", o.limits.MinInterval, "the shortest interval of a watch")
	flags.DurationVar(&o.limits.MaxInterval, "max-interval", o.limits.MaxInterval, "the longest interval of a watch")
	return cmd
}

// idleByDefault is long enough for somebody who looks again, and short enough to be gone most of the day.
const idleByDefault = 30 * time.Second

func runAgent(ctx context.Context, env *Env, o agentOptions) error {
	switch o.kind {
	case "", "nixos", "darwin", "home":
	default:
		return usage("it is nixos, darwin or home", "there is no kind %q", o.kind)
	}
	if err := o.limits.Check(); err != nil {
		return exit(fleet.ExitUsage, err)
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	socket, err := o.listen(env)
	if err != nil {
		return err
	}
	return agent.Serve(ctx, socket, agent.Options{
		Host: agent.Host{
			Root:  env.Getenv("FLEETCTL_ROOT"), // as of the scripts that are given to hosts
			Home:  env.Home,
			State: env.Getenv("XDG_STATE_HOME"),
			User:  env.User,
			Kind:  o.kind,
			Agent: version(),
		},
		Limits: o.limits,
		Idle:   max(o.idle, 0),
	})
}

// listen takes systemd's socket, or makes one.
func (o *agentOptions) listen(env *Env) (net.Listener, error) {
	socket, err := agent.SystemdSocket(env.Getenv)
	switch {
	case err != nil:
		return nil, err
	case socket != nil && o.socket != "":
		return nil, errors.Join(usage("leave it out, or start the agent without the unit fleetctl-agent.socket",
			"systemd has a socket already, and --socket %q was given", o.socket), socket.Close())
	case socket != nil:
		if o.idle < 0 {
			o.idle = idleByDefault
		}
		return socket, nil
	case o.socket == "":
		return nil, usage("start it by its unit, fleetctl-agent.socket, or give it --socket "+health.Socket, "there is no socket to answer on")
	}
	return agent.Listen(o.socket)
}
