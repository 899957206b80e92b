package agent

import (
	"net"
	"sync"
	"time"
)

// limitedListener limits how many connections are open at once and detects when none has been open
// for a while.
type limitedListener struct {
	net.Listener
	slots  chan struct{} // holds one value per open connection
	closed chan struct{} // closed by Close
	once   sync.Once

	mu        sync.Mutex
	open      int
	idleTimer *time.Timer // runs while no connection is open; nil if there is no idle timeout
	idle      time.Duration
}

// newLimitedListener wraps l. It calls onIdle, from a goroutine of its own, once no connection has
// been open for the duration idle. An idle of 0 means never.
func newLimitedListener(l net.Listener, slots int, idle time.Duration, onIdle func()) *limitedListener {
	limited := &limitedListener{
		Listener: l,
		slots:    make(chan struct{}, slots),
		closed:   make(chan struct{}),
		idle:     idle,
	}
	if idle > 0 {
		limited.idleTimer = time.AfterFunc(idle, onIdle)
	}
	return limited
}

func (l *limitedListener) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	conn, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	// Data that a slow reader has not read occupies kernel memory of the host: keep it small.
	if c, ok := conn.(*net.UnixConn); ok {
		_ = c.SetWriteBuffer(writeBufferBytes)
	}
	l.addOpen(1)
	return &limitedConn{Conn: conn, listener: l}, nil
}

const writeBufferBytes = 16 << 10

func (l *limitedListener) addOpen(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open += n
	switch {
	case l.idleTimer == nil:
	case l.open == 0:
		l.idleTimer.Reset(l.idle)
	default:
		l.idleTimer.Stop()
	}
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

// limitedConn is a connection that frees its slot when it is closed for the first time.
type limitedConn struct {
	net.Conn
	listener *limitedListener
	once     sync.Once
}

func (c *limitedConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(func() {
		c.listener.addOpen(-1)
		<-c.listener.slots
	})
	return err
}
