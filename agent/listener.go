package agent

import (
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// requestGrace is how long a new connection may take to send its request while others wait. The
// requests of operators come over SSH, and take a round trip.
const requestGrace = 500 * time.Millisecond

// A request that has arrived may not have been handled yet, on a host with much to do. So a
// connection is not replaced while it has unread bytes, or soon after some were read. That does not
// apply to requests that arrive in many pieces.
const (
	readGrace   = 50 * time.Millisecond
	mostReads   = 4
	retryRemove = 50 * time.Millisecond
)

// limitedListener limits how many connections are open at once and detects when none has been open
// for a while. If all are taken, a new connection replaces the oldest one without a request, so
// clients that connect and send nothing keep no others out.
type limitedListener struct {
	net.Listener
	limit  int
	closed chan struct{} // closed by Close
	once   sync.Once

	mu        sync.Mutex
	open      []*limitedConn // oldest first
	changed   chan struct{}  // closed when a connection closes or has no request anymore
	idleTimer *time.Timer    // runs while no connection is open; nil if there is no idle timeout
	idle      time.Duration
}

// newLimitedListener wraps l. It calls onIdle, from a goroutine of its own, once no connection has
// been open for the duration idle. An idle of 0 means never.
func newLimitedListener(l net.Listener, limit int, idle time.Duration, onIdle func()) *limitedListener {
	limited := &limitedListener{
		Listener: l,
		limit:    limit,
		closed:   make(chan struct{}),
		changed:  make(chan struct{}),
		idle:     idle,
	}
	if idle > 0 {
		limited.idleTimer = time.AfterFunc(idle, onIdle)
	}
	return limited
}

func (l *limitedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	// Data that a slow reader has not read occupies kernel memory of the host: keep it small.
	if c, ok := conn.(*net.UnixConn); ok {
		_ = c.SetWriteBuffer(writeBufferBytes)
	}
	limited := &limitedConn{Conn: conn, listener: l, since: time.Now()}
	for {
		replaced, changed, wait := l.add(limited)
		switch {
		case replaced != nil:
			replaced.Close()
			continue
		case changed == nil:
			return limited, nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-changed:
		case <-timer.C:
		case <-l.closed:
			timer.Stop()
			conn.Close()
			return nil, net.ErrClosed
		}
		timer.Stop()
	}
}

const writeBufferBytes = 16 << 10

// add adds a connection if there is room. Otherwise it returns the connection to close, or what to
// wait for.
func (l *limitedListener) add(c *limitedConn) (replaced *limitedConn, changed <-chan struct{}, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.open) < l.limit {
		l.open = append(l.open, c)
		if l.idleTimer != nil {
			l.idleTimer.Stop()
		}
		return nil, nil, 0
	}
	wait = time.Hour
	for _, other := range l.open {
		if other.busy {
			continue
		}
		remaining := requestGrace - time.Since(other.since)
		if other.served || remaining <= 0 && other.silent() {
			return other, nil, 0
		}
		wait = min(wait, max(remaining, retryRemove))
	}
	return nil, l.changed, wait
}

// setState notes the state of a connection, for [http.Server.ConnState]. It is active once a whole
// request header has arrived.
func (l *limitedListener) setState(conn net.Conn, state http.ConnState) {
	c, ok := conn.(*limitedConn)
	if !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	c.busy = state == http.StateActive
	c.served = c.served || c.busy
	if !c.busy {
		l.wake()
	}
}

// wake wakes Accept. The caller holds mu.
func (l *limitedListener) wake() {
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *limitedListener) remove(c *limitedConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := slices.Index(l.open, c)
	if at < 0 {
		return // it waited for room
	}
	l.open = slices.Delete(l.open, at, at+1)
	if l.idleTimer != nil && len(l.open) == 0 {
		l.idleTimer.Reset(l.idle)
	}
	l.wake()
}

// Close stops accepting connections. Open connections stay open.
func (l *limitedListener) Close() error {
	var err error
	l.once.Do(func() {
		close(l.closed)
		if l.idleTimer != nil {
			l.idleTimer.Stop()
		}
		err = l.Listener.Close()
	})
	return err
}

// limitedConn is a connection that makes room for another when it is closed.
type limitedConn struct {
	net.Conn
	listener *limitedListener
	since    time.Time
	reads    atomic.Int64
	lastRead atomic.Int64 // in Unix nanoseconds
	busy     bool         // a request is being answered; guarded by the listener's mu
	served   bool         // there was a request; likewise
	once     sync.Once
}

func (c *limitedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.reads.Add(1)
		c.lastRead.Store(time.Now().UnixNano())
	}
	return n, err
}

// silent reports whether no request is on its way, as far as the host knows.
func (c *limitedConn) silent() bool {
	if c.unread() > 0 {
		return false
	}
	return c.reads.Load() > mostReads || time.Since(time.Unix(0, c.lastRead.Load())) > readGrace
}

// unread returns how many bytes have arrived and were not read.
func (c *limitedConn) unread() (n int) {
	socket, ok := c.Conn.(syscall.Conn)
	if !ok {
		return 0
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Control(func(fd uintptr) {
		if n, err = unix.IoctlGetInt(int(fd), unreadBytes); err != nil {
			n = 0
		}
	})
	return n
}

func (c *limitedConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() { c.listener.remove(c) })
	return err
}
