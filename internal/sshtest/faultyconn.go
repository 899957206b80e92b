package sshtest

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"

	"golang.org/x/crypto/ssh"
)

// A Fault is what happens to one connection. The zero value is a healthy connection.
type Fault struct {
	Tarpit           bool   // accept the connection and never send anything
	Refuse           string // send this and hang up, as an overloaded sshd does
	Disconnect       string // send this as the reason of a disconnect message, and hang up
	CutIn            int64  // hang up after this many bytes from the client; 0 means never
	CutOut           int64  // hang up after this many bytes to the client; 0 means never
	CutTotal         int64  // hang up after this many bytes in total; 0 means never
	FreezeAfterLogin bool   // stop all traffic after the login, but keep the connection open
}

// refuse handles a connection whose fault prevents any SSH exchange. It reports whether it did.
func (f Fault) refuse(ctx context.Context, conn net.Conn) bool {
	switch {
	case f.Tarpit:
		defer context.AfterFunc(ctx, func() { conn.Close() })()
		_, _ = io.Copy(io.Discard, conn)
		return true
	case f.Refuse != "":
		_, _ = io.WriteString(conn, f.Refuse)
		return true
	case f.Disconnect != "":
		_, _ = conn.Write(append([]byte("SSH-2.0-sshtest\r\n"), disconnectPacket(f.Disconnect)...))
		_, _ = io.Copy(io.Discard, io.LimitReader(conn, 1)) // hang up once the client has spoken
		return true
	}
	return false
}

// disconnectPacket returns an SSH_MSG_DISCONNECT before any key exchange (RFC 4253, sections 6 and
// 11.1).
func disconnectPacket(reason string) []byte {
	payload := ssh.Marshal(struct {
		Type             byte
		Code             uint32
		Reason, Language string
	}{1, 2, reason, ""})
	padding := 4 + (8-(5+len(payload)+4)%8)%8
	packet := binary.BigEndian.AppendUint32(nil, uint32(1+len(payload)+padding))
	packet = append(append(packet, byte(padding)), payload...)
	return append(packet, make([]byte, padding)...)
}

// freezer blocks callers of wait while it is frozen. The zero value is thawed.
type freezer struct {
	mu     sync.Mutex
	thawed chan struct{} // closed by thaw; nil unless frozen
}

func (f *freezer) freeze() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.thawed == nil {
		f.thawed = make(chan struct{})
	}
}

func (f *freezer) thaw() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.thawed != nil {
		close(f.thawed)
		f.thawed = nil
	}
}

// wait blocks while f is frozen. It reports false if done is closed first.
func (f *freezer) wait(done <-chan struct{}) bool {
	for {
		f.mu.Lock()
		thawed := f.thawed
		f.mu.Unlock()
		if thawed == nil {
			return true
		}
		select {
		case <-thawed:
		case <-done:
			return false
		}
	}
}

// faultyConn is a connection with a fault.
type faultyConn struct {
	net.Conn
	fault   Fault
	network *freezer // the server's
	own     freezer
	done    chan struct{}
	once    sync.Once

	mu      sync.Mutex
	in, out int64
}

func newFaultyConn(conn net.Conn, fault Fault, network *freezer) *faultyConn {
	return &faultyConn{Conn: conn, fault: fault, network: network, done: make(chan struct{})}
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
	if waitErr := c.wait(); waitErr != nil { // the connection may have been frozen during the Read
		return 0, waitErr
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

// count adds n bytes to one direction. It returns how many of them may pass, and whether the
// connection is cut after them.
func (c *faultyConn) count(direction *int64, n int, limit int64) (allowed int, cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	room := int64(n)
	if limit > 0 {
		room = min(room, limit-*direction)
	}
	if c.fault.CutTotal > 0 {
		room = min(room, c.fault.CutTotal-c.in-c.out)
	}
	cut = limit > 0 && *direction+room >= limit ||
		c.fault.CutTotal > 0 && c.in+c.out+room >= c.fault.CutTotal
	*direction += room
	return int(room), cut
}
