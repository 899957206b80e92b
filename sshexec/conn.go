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
	wire   *wire
	done   chan struct{} // closed when the connection has ended

	interval time.Duration // after so long without a word from the server it is asked for one
	limit    time.Duration // and after so much longer it is given up
	beat     *time.Timer

	mu   sync.Mutex
	lost error // why we gave it up
}

// Unless ssh_config(5) has ServerAliveInterval: a dead network is noticed within a minute, where TCP would take hours.
const usualInterval = 15 * time.Second

func (p *Pool) newConn(t Target, s Settings, client *ssh.Client, wire *wire) (*Conn, error) {
	c := &Conn{pool: p, target: t, client: client, wire: wire, done: make(chan struct{})}
	c.interval = orElse(s.ServerAliveInterval, usualInterval)
	c.limit = c.interval * time.Duration(max(s.ServerAliveCountMax, 1))
	p.mu.Lock()
	p.conns[c] = struct{}{}
	p.mu.Unlock()
	started := p.tasks.start(func() {
		_ = client.Wait()
		c.stopBeat()
		p.mu.Lock()
		delete(p.conns, c)
		p.mu.Unlock()
		close(c.done)
	})
	if !started {
		client.Close()
		return nil, p.fail(t, "connect", Stopped, errClosed)
	}
	c.startBeat()
	return c, nil
}

// Done is closed when the connection has ended, for whatever reason.
func (c *Conn) Done() <-chan struct{} { return c.done }

// patienceToClose is how long Close waits where the connection goes through another that may be dead.
const patienceToClose = time.Second

// Close ends the connection and all that runs on it.
func (c *Conn) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), patienceToClose)
	defer cancel()
	_, _ = await(ctx, &c.pool.tasks, func() (struct{}, error) { c.hangUp(); return struct{}{}, nil }, nil)
	select {
	case <-c.done:
	case <-ctx.Done(): // the Pool waits for it
	}
	return nil
}

func (c *Conn) hangUp() { _ = c.client.Close() }

// giveUp closes the connection and remembers why, for those whose scripts it ends.
func (c *Conn) giveUp(why error) {
	c.mu.Lock()
	if c.lost == nil {
		c.lost = why
	}
	c.mu.Unlock()
	c.hangUp()
}

// DialContext opens a connection from the host: "tcp" to HOST:PORT, "unix" to a path. It knows no deadlines.
func (c *Conn) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := await(ctx, &c.pool.tasks, func() (net.Conn, error) { return c.client.Dial(network, address) },
		func(late net.Conn) { late.Close() })
	if err != nil {
		return nil, c.fail(ctx, "forward", fmt.Errorf("%s: %w", address, err))
	}
	return conn, nil
}

// fail makes an Error of what went wrong on the connection.
func (c *Conn) fail(ctx context.Context, phase string, err error) error {
	if ctx.Err() != nil {
		return c.pool.fail(c.target, phase, endKind(ctx), context.Cause(ctx))
	}
	c.mu.Lock()
	lost := c.lost
	c.mu.Unlock()
	if lost == nil {
		lost = c.wire.broken()
	}
	if lost != nil {
		return &Error{Host: c.target.Name, Phase: phase, Kind: Lost, Err: fmt.Errorf("the connection was lost: %w", bare(lost))}
	}
	return &Error{Host: c.target.Name, Phase: phase, Kind: kindOf(err, Lost), Err: err}
}
