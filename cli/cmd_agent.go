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
	idle   time.Duration // negative: not set; the default depends on the socket
	limits agent.Limits
}

func newAgent(env *Env) *cobra.Command {
	o := agentOptions{limits: agent.DefaultLimits()}
	cmd := &cobra.Command{
		Use:   "agent",
		Short: "Serve this host's health",
		Long: `Serve this host's health as JSON over HTTP on a unix socket, to the users that the socket's mode allows. The agent changes
nothing and is optional: without it, fleetctl runs a probe over SSH, less often.

If systemd listens on the socket (fleetctl-agent.socket), the first connection starts the agent, and the agent exits when it has
been idle for a while. Otherwise, --socket creates a socket with mode 0660, and the agent keeps running.

The endpoints are GET /v1/health, GET /v1/watch?interval=2s (one line per interval) and GET /v1/version.

EXIT STATUS

0  the agent was idle, or was stopped
1  the agent could not listen
2  the command line is invalid`,
		Example: `  fleetctl agent --socket /tmp/agent.sock
  curl --unix-socket /tmp/agent.sock http://agent/v1/health`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return runAgent(cmd.Context(), env, o) },
	}
	flags := cmd.Flags()
	pathVar(flags, &o.socket, "socket", "SOCKET", "create a socket at this path (if systemd does not provide one)")
	choiceVar(flags, &o.kind, "kind", "", "what this host is (default: detected)", "nixos", "darwin", "home")
	flags.DurationVar(&o.idle, "idle", -1, "exit after this long without a connection; 0s means never (default: 30s with systemd's socket, 0s with --socket)")
	flags.Lookup("idle").DefValue = "" // the usage text has the default
	flags.Var((*countFlag)(&o.limits.Connections), "max-connections", "serve at most this many connections at once; others wait")
	flags.Var((*countFlag)(&o.limits.Requests), "max-requests", "answer at most this many requests per second; others are rejected")
	flags.Var((*countFlag)(&o.limits.HeaderBytes), "max-header", "accept request headers of at most this many bytes")
	flags.DurationVar(&o.limits.MinInterval, "min-interval", o.limits.MinInterval, "the minimum interval of a watch")
	flags.DurationVar(&o.limits.MaxInterval, "max-interval", o.limits.MaxInterval, "the maximum interval of a watch")
	return cmd
}

// defaultIdle keeps the agent running between two polls of a table, but not for most of the day.
const defaultIdle = 30 * time.Second

func runAgent(ctx context.Context, env *Env, o agentOptions) error {
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
			Root:  env.Getenv("FLEETCTL_ROOT"), // as in the scripts that run on hosts
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

// listen returns systemd's socket or, if there is none, creates one.
func (o *agentOptions) listen(env *Env) (net.Listener, error) {
	socket, err := agent.SystemdSocket(env.Getenv)
	switch {
	case err != nil:
		return nil, err
	case socket != nil && o.socket != "":
		return nil, errors.Join(usage("omit --socket, or start the agent without the unit fleetctl-agent.socket",
			"cannot use --socket %q: systemd provides a socket", o.socket), socket.Close())
	case socket != nil:
		if o.idle < 0 {
			o.idle = defaultIdle
		}
		return socket, nil
	case o.socket == "":
		return nil, usage("start the unit fleetctl-agent.socket, or use --socket "+health.Socket, "no socket to listen on")
	}
	return agent.Listen(o.socket)
}
