package sshexec

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"sync"
)

// Options are what a [Pool] is made from. The zero value is the user's own world, with nobody to ask for a passphrase.
type Options struct {
	Home       string              // the home directory; "" is the user's
	User       string              // the login name where nothing gives another; "" is the user's
	Getenv     func(string) string // nil is os.Getenv
	ConfigFile string              // the only ssh_config(5) to read; "" is ~/.ssh/config and then /etc/ssh/ssh_config
	Prompter   Prompter            // nil: nobody can be asked

	MaxHandshakes int // logins under way at once; 0 is 32
	MaxHandshakesPerAddress int // and to one address; 0 is 8, below the 10 at which sshd begins to turn connections away

	// Log is told what a person should know and nobody asked for, such as a host key that was accepted. nil is silence.
	Log func(format string, args ...any)
}

// Prompter asks a person.
type Prompter interface {
	// Secret asks for something that is not shown as it is typed. Only one question is asked at a time.
	Secret(ctx context.Context, prompt string) (string, error)
}

// Pool is what all connections share. It is safe for concurrent use.
type Pool struct {
	options Options
	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	tasks   tasks

	resolver   resolver
	hostKeys   hostKeys
	sshAgents     cache[string, *agentConn]
	keyFiles   cache[fileStamp, keyFile]
	decryptedKeys   cache[fileStamp, decryption]
	bastions   cache[hop, *Conn]
	handshakes limiter
	promptSlot   chan struct{} // a slot for the one question that a person is asked at a time

	mu    sync.Mutex
	conns map[*Conn]struct{}
}

// NewPool makes a Pool. It connects to nothing and reads nothing yet.
func NewPool(o Options) *Pool {
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	if o.Home == "" {
		o.Home, _ = os.UserHomeDir()
	}
	if o.User == "" {
		if me, err := user.Current(); err == nil {
			o.User = me.Username
		}
	}
	if o.Log == nil {
		o.Log = func(string, ...any) {}
	}
	p := &Pool{options: o, conns: make(map[*Conn]struct{}), promptSlot: make(chan struct{}, 1)}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.resolver = resolver{options: &p.options, ctx: p.ctx, slots: make(chan struct{}, 4)}
	p.resolver.queries.tasks = &p.tasks
	p.sshAgents.tasks = &p.tasks
	p.keyFiles.tasks = &p.tasks
	p.decryptedKeys.tasks = &p.tasks
	p.bastions.tasks = &p.tasks
	p.handshakes = newLimiter(orElse(o.MaxHandshakes, 32), orElse(o.MaxHandshakesPerAddress, 8))
	return p
}

// Close closes every connection that the Pool made, and waits for everything it began.
func (p *Pool) Close() error {
	p.tasks.close()
	p.cancel()
	// All at once: one that goes through a dead bastion is free when the bastion is.
	var closing sync.WaitGroup
	p.mu.Lock()
	for c := range p.conns {
		closing.Go(c.closeClient)
	}
	p.mu.Unlock()
	closing.Wait()
	p.tasks.wait()
	return nil
}

// fail makes an Error of what went wrong with a target, or returns the Error that it is already.
func (p *Pool) errorFor(t Target, phase string, kind Kind, err error) error {
	if typed, ok := err.(*Error); ok {
		return typed
	}
	return &Error{Host: t.Name, Phase: phase, Kind: kind, Err: err}
}

// ask asks a person for a secret.
func (p *Pool) promptSecret(ctx context.Context, prompt string) (string, error) {
	if p.options.Prompter == nil {
		return "", fmt.Errorf("nobody can be asked")
	}
	select {
	case p.promptSlot <- struct{}{}:
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	defer func() { <-p.promptSlot }()
	return p.options.Prompter.Secret(ctx, prompt)
}
