package sshexec

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// Conn is one login on one host. It is safe for concurrent use, and a server lets several scripts run on it at once.
type Conn struct {
	pool   *Pool
	target Target
	client *ssh.Client
	raw   *rawConn
	done   chan struct{} // closed when the connection has ended

	keepAliveInterval time.Duration // after so long without a word from the server it is asked for one
	keepAliveTimeout    time.Duration // and after so much longer it is given up
	keepAliveTimer     *time.Timer

	mu   sync.Mutex
	lostErr error // why we gave it up
}

// Unless ssh_config(5) has ServerAliveInterval: a dead network is noticed within a minute, where TCP would take hours.
const defaultKeepAliveInterval = 15 * time.Second

func (p *Pool) newConn(t Target, s Settings, client *ssh.Client, wire *rawConn) (*Conn, error) {
	c := &Conn{pool: p, target: t, client: client, raw: wire, done: make(chan struct{})}
	c.keepAliveInterval = orElse(s.ServerAliveInterval, defaultKeepAliveInterval)
	c.keepAliveTimeout = c.keepAliveInterval * time.Duration(max(s.ServerAliveCountMax, 1))
	p.mu.Lock()
	p.conns[c] = struct{}{}
	p.mu.Unlock()
	started := p.tasks.start(func() {
		_ = client.Wait()
		c.stopKeepAlive()
		p.mu.Lock()
		delete(p.conns, c)
		p.mu.Unlock()
		close(c.done)
	})
	if !started {
		client.Close()
		return nil, p.errorFor(t, "connect", KindStopped, errClosed)
	}
	c.startKeepAlive()
	return c, nil
}

// Done is closed when the connection has ended, for whatever reason.
func (c *Conn) Done() <-chan struct{} { return c.done }

// patienceToClose is how long Close waits where the connection goes through another that may be dead.
const closeTimeout = time.Second

// Close ends the connection and all that runs on it.
func (c *Conn) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	_, _ = await(ctx, &c.pool.tasks, func() (struct{}, error) { c.closeClient(); return struct{}{}, nil }, nil)
	select {
	case <-c.done:
	case <-ctx.Done(): // the Pool waits for it
	}
	return nil
}

func (c *Conn) closeClient() { _ = c.client.Close() }

// giveUp closes the connection and remembers why, for those whose scripts it ends.
func (c *Conn) closeWithError(why error) {
	c.mu.Lock()
	if c.lostErr == nil {
		c.lostErr = why
	}
	c.mu.Unlock()
	c.closeClient()
}

// DialContext opens a connection from the host: "tcp" to HOST:PORT, "unix" to a path. It knows no deadlines.
func (c *Conn) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := await(ctx, &c.pool.tasks, func() (net.Conn, error) { return c.client.Dial(network, address) },
		func(late net.Conn) { late.Close() })
	if err != nil {
		return nil, c.errorFor(ctx, "forward", fmt.Errorf("%s: %w", address, err))
	}
	return conn, nil
}

// fail makes an Error of what went wrong on the connection.
func (c *Conn) errorFor(ctx context.Context, phase string, err error) error {
	if ctx.Err() != nil {
		return c.pool.errorFor(c.target, phase, contextKind(ctx), context.Cause(ctx))
	}
	c.mu.Lock()
	lost := c.lostErr
	c.mu.Unlock()
	if lost == nil {
		lost = c.raw.err()
	}
	if lost != nil {
		return &Error{Host: c.target.Name, Phase: phase, Kind: KindLost, Err: fmt.Errorf("the connection was lost: %w", trimLibraryText(lost))}
	}
	return &Error{Host: c.target.Name, Phase: phase, Kind: kindOf(err, KindLost), Err: err}
}
