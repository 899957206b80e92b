package sshexec

import (
	"bytes"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// wire is a connection that remembers what the SSH library does not tell: what a server said before its version, when
// it was last heard, and what ended the connection.
type rawConn struct {
	net.Conn
	lastRead atomic.Int64 // when bytes last came, in Unix nanoseconds; 0 is never

	mu       sync.Mutex
	preamble []byte // the first bytes, until there is a version among them or login is over
	versionSeen  bool
	firstErr      error
}

func newRawConn(conn net.Conn) *rawConn { return &rawConn{Conn: conn} }

func (w *rawConn) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if n > 0 {
		if w.lastRead.Swap(time.Now().UnixNano()) == 0 || !w.sawVersion() {
			w.addPreamble(p[:n])
		}
	}
	if err != nil {
		w.setError(err)
	}
	return n, err
}

func (w *rawConn) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	if err != nil {
		w.setError(err)
	}
	return n, err
}

func (w *rawConn) sawVersion() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.versionSeen
}

// longestGreeting is how much is kept of what comes before the version.
const maxPreamble = 512

func (w *rawConn) addPreamble(p []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.preamble = append(w.preamble, p[:min(len(p), maxPreamble-len(w.preamble))]...)
	if bytes.HasPrefix(w.preamble, []byte("SSH-")) || bytes.Contains(w.preamble, []byte("\nSSH-")) {
		w.versionSeen, w.preamble = true, nil
	}
}

// refusal is what the server said instead of its version, in a line. The beginning of a version is none.
func (w *rawConn) preambleText() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if strings.HasPrefix("SSH-", string(w.preamble)) {
		return ""
	}
	return sanitizeLine(w.preamble)
}

// oneLine makes a message of somebody else's bytes.
func sanitizeLine(text []byte) string {
	printable := func(r rune) rune {
		if r < ' ' || r >= 0x7f {
			return ' '
		}
		return r
	}
	return strings.Join(strings.Fields(strings.Map(printable, string(text))), " ")
}

func (w *rawConn) setError(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.firstErr == nil {
		w.firstErr = err
	}
}

// broken is the first error of reading or writing, or nil.
func (w *rawConn) err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.firstErr
}
