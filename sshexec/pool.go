package sshexec

import (
	"cmp"
	"context"
	"errors"
	"os"
	"os/user"
	"sync"
	"time"
)

// Options configures a [Pool]. The zero value uses the user's own configuration and can only prompt
// for passphrases with the program that SSH_ASKPASS names.
type Options struct {
	Home       string              // "" means the user's home directory
	User       string              // the default login name; "" means the user's
	Getenv     func(string) string // nil means os.Getenv
	ConfigFile string              // the only ssh_config(5) to read; "" means ssh's default files
	Prompter   Prompter            // nil means that no prompts are possible

	// MaxHandshakes limits how many handshakes run at once: of first logins to hosts, and
	// separately of later ones. 0 means 32.
	MaxHandshakes int
	// MaxConns is how many connections may be open before a first login waits. 0 means as many as
	// the limit of open files allows.
	MaxConns                int
	MaxHandshakesPerAddress int // 0 means 8: sshd starts to drop connections at 10 (MaxStartups)

	// Command connects to a [Target] by its name, for messages: "ssh" if empty.
	Command string

	// Log receives notices that no call returns, such as a host key that was accepted. nil discards
	// them.
	Log func(format string, args ...any)
}

// A Prompter asks the operator for secrets.
type Prompter interface {
	// Secret prompts for input that is not echoed. A Pool never calls it concurrently.
	Secret(ctx context.Context, prompt string) (string, error)
}

// A Pool holds what connections share. It is safe for concurrent use.
type Pool struct {
	options Options
	ctx     context.Context // canceled by Close
	cancel  context.CancelFunc
	tasks   tasks

	resolver      resolver
	hostKeys      hostKeys
	sshAgents     cache[string, *agentConn]
	keyFiles      cache[fileStamp, keyFile]
	decryptedKeys cache[fileStamp, decryption]
	bastions      cache[hop, *Conn]
	handshakes    limiter
	room          room
	promptSlot    chan struct{} // holds one element while a prompt is active

	agentListTimeout time.Duration

	mu         sync.Mutex
	conns      map[*Conn]struct{}
	loggedIn   map[string]bool      // targets, by name, that were logged in to
	answered   map[string]string    // which of its addresses a target was last reached at, by name
	hungAgents map[string]time.Time // by socket
	answers    map[string]*loginAnswers
}

// NewPool returns a new Pool. It does not connect to anything or read any file. The caller must
// close the Pool.
func NewPool(o Options) *Pool {
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	if o.Home == "" {
		o.Home, _ = os.UserHomeDir()
	}
	if o.User == "" {
		if current, err := user.Current(); err == nil {
			o.User = current.Username
		}
	}
	o.Command = cmp.Or(o.Command, "ssh")
	if o.Log == nil {
		o.Log = func(string, ...any) {}
	}
	p := &Pool{options: o, conns: make(map[*Conn]struct{}), loggedIn: make(map[string]bool), answered: make(map[string]string), hungAgents: make(map[string]time.Time), answers: make(map[string]*loginAnswers),
		promptSlot: make(chan struct{}, 1), agentListTimeout: defaultAgentListTimeout}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.resolver = resolver{options: &p.options, ctx: p.ctx, slots: make(chan struct{}, 16), lookup: defaultLookup}
	p.resolver.run = p.resolver.runSSH
	p.resolver.queries.tasks = &p.tasks
	p.resolver.commands.tasks = &p.tasks
	p.resolver.algorithms.tasks = &p.tasks
	p.resolver.version.tasks = &p.tasks
	p.resolver.validated.tasks = &p.tasks
	p.resolver.sets.tasks = &p.tasks
	if p.options.ConfigFile == "" && p.options.usesPasswdHome() {
		p.resolver.systemConfig = systemConfig
	}
	p.sshAgents.tasks = &p.tasks
	p.keyFiles.tasks = &p.tasks
	p.decryptedKeys.tasks = &p.tasks
	p.bastions.tasks = &p.tasks
	p.room = newRoom(cmp.Or(o.MaxConns, connsThatFit()))
	p.handshakes = newLimiter(cmp.Or(o.MaxHandshakes, 32), cmp.Or(o.MaxHandshakesPerAddress, 8))
	return p
}

// Close closes every connection of the Pool and waits for all its goroutines. It always returns
// nil.
func (p *Pool) Close() error {
	p.tasks.close()
	p.cancel()
	// Close concurrently: closing a connection through a dead bastion blocks until the connection
	// to that bastion is closed.
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

// wasLoggedIn reports whether there was a login to a target before.
func (p *Pool) wasLoggedIn(t Target) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.loggedIn[t.Name]
}

// errorFor wraps err in an Error, unless it already is one.
func (p *Pool) errorFor(t Target, phase string, kind Kind, err error) error {
	if typed, ok := err.(*Error); ok {
		return typed
	}
	return &Error{Host: t.Name, Phase: phase, Kind: kind, Err: err}
}

var errNoTerminal = errors.New("cannot prompt without a terminal")

func (p *Pool) canPrompt() bool {
	return p.options.Prompter != nil || p.options.askpassProgram() != ""
}

// promptSecret prompts the operator once no other prompt is active.
func (p *Pool) promptSecret(ctx context.Context, prompt string) (string, error) {
	askpass := p.options.askpassProgram()
	if askpass == "" && p.options.Prompter == nil {
		return "", errNoTerminal
	}
	select {
	case p.promptSlot <- struct{}{}:
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	defer func() { <-p.promptSlot }()
	if askpass != "" {
		return runAskpass(ctx, askpass, prompt)
	}
	return p.options.Prompter.Secret(ctx, prompt)
}
