package cli

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/localexec"
	"github.com/markus-barta/nixfleet/sshexec"
)

// newPool returns the pool for all connections of a command. The caller must close it.
func newPool(env *Env) *sshexec.Pool {
	heapReserve()
	o := sshexec.Options{
		Home: env.Home, Getenv: env.Getenv, Command: "fleetctl ssh",
		Log: func(format string, args ...any) { fmt.Fprintf(env.Err, format+"\n", args...) },
	}
	if env.Secret != nil {
		o.Prompter = prompter(env.Secret)
	}
	return sshexec.NewPool(o)
}

// heapReserve makes the garbage collector run less often. It runs when the heap has doubled, but a
// small heap doubles at every few megabytes that a host prints. The reserve counts as heap and is
// never touched, so it takes addresses and no memory.
var heapReserve = sync.OnceValue(func() []byte { return make([]byte, 16<<20) })

// prompter is an [sshexec.Prompter] that calls [Env.Secret].
type prompter func(ctx context.Context, prompt string) (string, error)

func (ask prompter) Secret(ctx context.Context, prompt string) (string, error) {
	return ask(ctx, prompt)
}

// dialer is a [host.Dialer]: hosts are reached over SSH, from a pool, unless they are local.
type dialer struct {
	pool *sshexec.Pool
	env  *Env
}

// Dial connects within the host's Timeouts.Connect, or ConnectTimeout in ssh_config(5). The pool
// enforces the timeout, because it knows when the operator is being prompted and stops the clock.
func (d dialer) Dial(ctx context.Context, h *inventory.Host) (host.Conn, error) {
	if h.Local {
		if err := d.env.thisMachine(d.pool.Resolve).refusal(h); err != nil {
			return nil, err
		}
		return localConn{localexec.New(h.Name, d.env.Home, d.env.Environ)}, nil
	}
	c, err := d.pool.Dial(ctx, target(h))
	if err != nil {
		return nil, err
	}
	return conn{c}, nil
}

// target returns how the inventory says to reach a host.
func target(h *inventory.Host) sshexec.Target {
	t := sshexec.Target{Name: h.Name, Address: h.Address, User: h.User, Port: h.Port}
	if len(h.Addresses) > 1 {
		t.Alternatives = strings.Join(h.Addresses[1:], " ")
	}
	if h.Timeouts.ConnectSet {
		t.Timeout = h.Timeouts.Connect
	}
	return t
}

// conn adapts a connection over SSH to [host.Conn].
type conn struct{ *sshexec.Conn }

func (c conn) Run(ctx context.Context, cmd host.Command) (int, error) {
	return c.Conn.Run(ctx, sshexec.Command(cmd))
}

// localConn adapts a connection without SSH to [host.Conn].
type localConn struct{ *localexec.Conn }

func (c localConn) Run(ctx context.Context, cmd host.Command) (int, error) {
	return c.Conn.Run(ctx, sshexec.Command(cmd))
}

// Address returns what status shows in place of an address.
func (c localConn) Address() string { return "local" }
