package sshexec

import (
	"bytes"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
)

// rawConn is a transport that records what the SSH library does not report: text that a server
// sends before its version string, when the server last sent anything, and the first I/O error.
type rawConn struct {
	net.Conn
	lastRead atomic.Int64 // when data last arrived, in Unix nanoseconds; 0 means never
	received readBuffer   // used by Read only

	mu          sync.Mutex
	preamble    []byte // the first bytes, until they include a version string
	versionSeen bool
	firstErr    error
}

func newRawConn(conn net.Conn) *rawConn {
	c := &rawConn{Conn: conn}
	c.received.init(conn)
	return c
}

// Read reads ahead if the transport is a socket: the library reads the version string byte by byte,
// and each packet in two or more pieces.
func (c *rawConn) Read(p []byte) (n int, err error) {
	if n := c.received.take(p); n > 0 || len(p) == 0 {
		return n, nil
	}
	var arrived []byte
	if c.received.socket != nil {
		arrived, err = c.received.fill()
	} else {
		n, err = c.Conn.Read(p)
		arrived = p[:n]
	}
	if len(arrived) > 0 && (c.lastRead.Swap(time.Now().UnixNano()) == 0 || !c.sawVersion()) {
		c.addPreamble(arrived)
	}
	if err != nil {
		c.setError(err)
	}
	return n + c.received.take(p), err
}

func (c *rawConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if err != nil {
		c.setError(err)
	}
	return n, err
}

func (c *rawConn) sawVersion() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.versionSeen
}

// maxPreamble is how much text before the version string is kept for error messages.
const maxPreamble = 512

// addPreamble collects the lines that a server may send before its version string (RFC 4253,
// section 4.2).
func (c *rawConn) addPreamble(p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.preamble = append(c.preamble, p[:min(len(p), maxPreamble-len(c.preamble))]...)
	if bytes.HasPrefix(c.preamble, []byte("SSH-")) || bytes.Contains(c.preamble, []byte("\nSSH-")) {
		c.versionSeen, c.preamble = true, nil
	}
}

// preambleText returns, as one line, what the server sent instead of a version string. A truncated
// version string does not count.
func (c *rawConn) preambleText() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if strings.HasPrefix("SSH-", string(c.preamble)) {
		return ""
	}
	return sanitizeLine(c.preamble)
}

// printableLine replaces what is not printable with spaces. Unlike sanitizeLine, it keeps letters
// of all scripts, and the spaces of printable text.
func printableLine(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
}

// sanitizeLine turns untrusted bytes into one line of printable ASCII.
func sanitizeLine(text []byte) string {
	printable := func(r rune) rune {
		if r < ' ' || r >= 0x7f {
			return ' '
		}
		return r
	}
	return strings.Join(strings.Fields(strings.Map(printable, string(text))), " ")
}

func (c *rawConn) setError(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.firstErr == nil {
		c.firstErr = err
	}
}

// err returns the first read or write error, or nil.
func (c *rawConn) err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.firstErr
}
