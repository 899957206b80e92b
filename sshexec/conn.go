package sshexec

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// A Conn is one login on one host. It is safe for concurrent use, and several scripts can run on it
// at once, up to the server's MaxSessions.
type Conn struct {
	pool    *Pool
	target  Target
	address string // HOST:PORT
	client  *ssh.Client
	raw     *rawConn
	done    chan struct{} // closed by serve when the connection has ended
	agents  *agentRelay   // nil if the ssh-agent is not forwarded

	keepAliveInterval time.Duration // ping the server after this much silence
	keepAliveTimeout  time.Duration // and close the connection after this much more
	keepAliveTimer    *time.Timer   // guarded by mu

	occupies bool // counts in the Pool's room; guarded by the Pool's mu

	mu      sync.Mutex
	lostErr error // why this side closed the connection
}

// These apply unless ssh_config(5) sets ServerAliveInterval or ServerAliveCountMax. With them, a
// dead network is detected within 40 seconds; TCP alone would take hours.
const (
	defaultKeepAliveInterval = 15 * time.Second
	defaultKeepAliveTimeout  = 25 * time.Second
)

func (p *Pool) newConn(t Target, s Settings, l login, raw *rawConn) (*Conn, error) {
	// ssh.NewClient would start three goroutines for what serve does in one.
	c := &Conn{pool: p, target: t, address: s.Address(), client: &ssh.Client{Conn: l.conn}, raw: raw, done: make(chan struct{})}
	c.keepAliveInterval = cmp.Or(s.ServerAliveInterval, defaultKeepAliveInterval)
	c.keepAliveTimeout = defaultKeepAliveTimeout
	if s.ServerAliveInterval > 0 || s.ServerAliveCountMax > 0 {
		c.keepAliveTimeout = c.keepAliveInterval * time.Duration(cmp.Or(s.ServerAliveCountMax, 3))
	}
	if s.ForwardAgent != "" && !t.isBastion {
		c.agents = newAgentRelay(p, s.ForwardAgent)
	}
	p.mu.Lock()
	p.conns[c], p.loggedIn[t.Name] = struct{}{}, true
	p.mu.Unlock()
	started := p.tasks.start(func() {
		l.serve(c.agents)
		c.stopKeepAlive()
		p.mu.Lock()
		delete(p.conns, c)
		if c.occupies {
			p.room.leaveLocked()
		}
		p.mu.Unlock()
		close(c.done)
	})
	if !started {
		l.discard()
		return nil, p.errorFor(t, "connect", KindStopped, errClosed)
	}
	c.startKeepAlive()
	return c, nil
}

// Address returns the address that the connection was made to, as HOST:PORT.
func (c *Conn) Address() string { return c.address }

// Done returns a channel that is closed when the connection has ended for any reason.
func (c *Conn) Done() <-chan struct{} { return c.done }

// closeTimeout limits how long Close waits if the connection runs through another that may be dead.
const closeTimeout = time.Second

// Close closes the connection and every session on it. It always returns nil.
func (c *Conn) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	_, _ = await(ctx, &c.pool.tasks, func() (struct{}, error) { c.closeClient(); return struct{}{}, nil }, nil)
	select {
	case <-c.done:
	case <-ctx.Done(): // Pool.Close waits for the rest
	}
	return nil
}

func (c *Conn) closeClient() { _ = c.client.Close() }

// closeWithError closes the connection and makes err the error of the calls that this interrupts.
func (c *Conn) closeWithError(err error) {
	c.mu.Lock()
	if c.lostErr == nil {
		c.lostErr = err
	}
	c.mu.Unlock()
	c.closeClient()
}

// DialContext opens a connection from the host: to HOST:PORT if network is "tcp", to a socket path
// if it is "unix". The returned connection does not support deadlines.
func (c *Conn) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := await(ctx, &c.pool.tasks,
		func() (net.Conn, error) { return c.client.Dial(network, address) },
		func(unused net.Conn) { unused.Close() })
	if err != nil {
		return nil, c.errorFor(ctx, "forward", fmt.Errorf("%s: %w", address, err))
	}
	return conn, nil
}

// errorFor returns the Error for a failed operation on the connection. The reason why ctx or the
// connection ended takes precedence over err.
func (c *Conn) errorFor(ctx context.Context, phase string, err error) error {
	if ctx.Err() != nil {
		return c.pool.errorFor(c.target, phase, contextKind(ctx), context.Cause(ctx))
	}
	c.mu.Lock()
	lostErr := c.lostErr
	c.mu.Unlock()
	if lostErr == nil {
		lostErr = c.raw.err()
	}
	if lostErr != nil {
		return &Error{
			Host: c.target.Name, Phase: phase, Kind: KindLost,
			Err: fmt.Errorf("the connection was lost: %w", trimLibraryText(lostErr)),
		}
	}
	return &Error{Host: c.target.Name, Phase: phase, Kind: kindOf(err, KindLost), Err: err}
}
