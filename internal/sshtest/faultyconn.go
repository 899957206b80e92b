package sshtest

import (
	"context"
	"io"
	"net"
	"sync"
)

// Fault is what happens to one connection. The zero value is a healthy one.
type Fault struct {
	Tarpit           bool   // accept, and never say a word
	Refuse           string // say this instead of a version, and hang up, as sshd does when it is overrun
	CutIn            int64  // hang up when so many bytes came from the client; 0 is never
	CutOut           int64  // hang up when so many bytes went to the client
	CutTotal         int64  // hang up when so many bytes went either way
	FreezeAfterLogin bool   // from the login on nothing moves, though the connection stays open
}

// refuse plays the faults of a server that never gets to speak SSH.
func (f Fault) refuse(ctx context.Context, conn net.Conn) bool {
	switch {
	case f.Tarpit:
		defer context.AfterFunc(ctx, func() { conn.Close() })()
		_, _ = io.Copy(io.Discard, conn)
		return true
	case f.Refuse != "":
		_, _ = io.WriteString(conn, f.Refuse)
		return true
	}
	return false
}

// valve lets bytes through or holds them. The zero value is open.
type freezer struct {
	mu     sync.Mutex
	thawed chan struct{} // closed, in Go's sense, when the valve opens again; nil while it is open
}

func (v *freezer) freeze() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.thawed == nil {
		v.thawed = make(chan struct{})
	}
}

func (v *freezer) thaw() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.thawed != nil {
		close(v.thawed)
		v.thawed = nil
	}
}

// pass waits until the valve is open, and reports false where done came first.
func (v *freezer) wait(done <-chan struct{}) bool {
	for {
		v.mu.Lock()
		closed := v.thawed
		v.mu.Unlock()
		if closed == nil {
			return true
		}
		select {
		case <-closed:
		case <-done:
			return false
		}
	}
}

// faulty is a connection with a fault.
type faultyConn struct {
	net.Conn
	fault  Fault
	network *freezer // the server's
	own    freezer
	done   chan struct{}
	once   sync.Once

	mu      sync.Mutex
	in, out int64
}

func newFaultyConn(conn net.Conn, fault Fault, shared *freezer) *faultyConn {
	return &faultyConn{Conn: conn, fault: fault, network: shared, done: make(chan struct{})}
}

func (c *faultyConn) Close() error {
	c.once.Do(func() { close(c.done) })
	return c.Conn.Close()
}

func (c *faultyConn) wait() error {
	if !c.network.wait(c.done) || !c.own.wait(c.done) {
		return net.ErrClosed
	}
	return nil
}

func (c *faultyConn) Read(p []byte) (int, error) {
	if err := c.wait(); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(p)
	if passErr := c.wait(); passErr != nil { // what was under way when the valve shut waits too
		return 0, passErr
	}
	n, cut := c.count(&c.in, n, c.fault.CutIn)
	if cut {
		c.Close()
		return n, net.ErrClosed
	}
	return n, err
}

func (c *faultyConn) Write(p []byte) (int, error) {
	if err := c.wait(); err != nil {
		return 0, err
	}
	n, cut := c.count(&c.out, len(p), c.fault.CutOut)
	written, err := c.Conn.Write(p[:n])
	if cut {
		c.Close()
		return written, net.ErrClosed
	}
	return written, err
}

// count adds n bytes to one direction and says how many of them are to pass, and whether the connection ends there.
func (c *faultyConn) count(direction *int64, n int, limit int64) (pass int, cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	room := int64(n)
	if limit > 0 {
		room = min(room, limit-*direction)
	}
	if c.fault.CutTotal > 0 {
		room = min(room, c.fault.CutTotal-c.in-c.out)
	}
	cut = limit > 0 && *direction+room >= limit || c.fault.CutTotal > 0 && c.in+c.out+room >= c.fault.CutTotal
	*direction += room
	return int(room), cut
}
