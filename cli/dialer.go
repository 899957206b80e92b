package cli

import (
	"context"
	"fmt"

	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/sshexec"
)

// newPool makes the pool that all of a command's connections come from. The caller closes it.
func newPool(env *Env) *sshexec.Pool {
	o := sshexec.Options{
		Home: env.Home, User: env.User, Getenv: env.Getenv,
		Log: func(format string, args ...any) { fmt.Fprintf(env.Err, format+"\n", args...) },
	}
	if env.Secret != nil {
		o.Prompter = prompter(env.Secret)
	}
	return sshexec.NewPool(o)
}

// prompter asks for passphrases the way the command asks for passwords.
type prompter func(ctx context.Context, prompt string) (string, error)

func (ask prompter) Secret(ctx context.Context, prompt string) (string, error) {
	return ask(ctx, prompt)
}

// dialer is what package fleet knows of package sshexec.
type dialer struct{ pool *sshexec.Pool }

// Dial gives the host its Timeouts.Connect. The pool keeps that clock, since it knows when a person is being asked.
func (d dialer) Dial(ctx context.Context, h *inventory.Host) (host.Conn, error) {
	conn, err := d.pool.Dial(ctx, target(h))
	if err != nil {
		return nil, err
	}
	return login{conn}, nil
}

// target is where the inventory says that a host is.
func target(h *inventory.Host) sshexec.Target {
	return sshexec.Target{Name: h.Name, Address: h.Address, User: h.User, Port: h.Port, Timeout: h.Timeouts.Connect}
}

// login is a connection as package fleet uses it.
type login struct{ *sshexec.Conn }

func (l login) Run(ctx context.Context, cmd host.Command) (int, error) {
	return l.Conn.Run(ctx, sshexec.Command(cmd))
}
