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
type wire struct {
	net.Conn
	heard atomic.Int64 // when bytes last came, in Unix nanoseconds; 0 is never

	mu       sync.Mutex
	greeting []byte // the first bytes, until there is a version among them or login is over
	greeted  bool
	err      error
}

func newWire(conn net.Conn) *wire { return &wire{Conn: conn} }

func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if n > 0 {
		if w.heard.Swap(time.Now().UnixNano()) == 0 || !w.spoken() {
			w.greet(p[:n])
		}
	}
	if err != nil {
		w.failed(err)
	}
	return n, err
}

func (w *wire) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	if err != nil {
		w.failed(err)
	}
	return n, err
}

func (w *wire) spoken() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.greeted
}

// longestGreeting is how much is kept of what comes before the version.
const longestGreeting = 512

func (w *wire) greet(p []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.greeting = append(w.greeting, p[:min(len(p), longestGreeting-len(w.greeting))]...)
	if bytes.HasPrefix(w.greeting, []byte("SSH-")) || bytes.Contains(w.greeting, []byte("\nSSH-")) {
		w.greeted, w.greeting = true, nil
	}
}

// refusal is what the server said instead of its version, in a line. The beginning of a version is none.
func (w *wire) refusal() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if strings.HasPrefix("SSH-", string(w.greeting)) {
		return ""
	}
	return oneLine(w.greeting)
}

// oneLine makes a message of somebody else's bytes.
func oneLine(text []byte) string {
	printable := func(r rune) rune {
		if r < ' ' || r >= 0x7f {
			return ' '
		}
		return r
	}
	return strings.Join(strings.Fields(strings.Map(printable, string(text))), " ")
}

func (w *wire) failed(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
	}
}

// broken is the first error of reading or writing, or nil.
func (w *wire) broken() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}
