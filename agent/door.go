package agent

import (
	"net"
	"sync"
	"time"
)

// door is a listener that lets in so many at once, and notices when nobody has been in for a while.
type door struct {
	net.Listener
	seats chan struct{} // one for each that may be in
	shut  chan struct{}
	once  sync.Once

	mu    sync.Mutex
	in    int
	quiet *time.Timer // runs while nobody is in; nil where the agent stays
	idle  time.Duration
}

// newDoor calls leave, from a goroutine of the timer's, when nobody was in for that long; 0 is never.
func newDoor(l net.Listener, seats int, idle time.Duration, leave func()) *door {
	d := &door{Listener: l, seats: make(chan struct{}, seats), shut: make(chan struct{}), idle: idle}
	if idle > 0 {
		d.quiet = time.AfterFunc(idle, leave)
	}
	return d
}

func (d *door) Accept() (net.Conn, error) {
	select {
	case d.seats <- struct{}{}:
	case <-d.shut:
		return nil, net.ErrClosed
	}
	conn, err := d.Listener.Accept()
	if err != nil {
		<-d.seats
		return nil, err
	}
	// What a slow reader has not read waits in the kernel, on the host's account: little of it.
	if c, ok := conn.(*net.UnixConn); ok {
		_ = c.SetWriteBuffer(unreadBytes)
	}
	d.count(1)
	return &guest{Conn: conn, door: d}, nil
}

const unreadBytes = 16 << 10

func (d *door) count(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.in += n
	switch {
	case d.quiet == nil:
	case d.in == 0:
		d.quiet.Reset(d.idle)
	default:
		d.quiet.Stop()
	}
}

// Close lets nobody in any more. Who is in stays.
func (d *door) Close() error {
	err := error(nil)
	d.once.Do(func() {
		close(d.shut)
		if d.quiet != nil {
			d.quiet.Stop()
		}
		err = d.Listener.Close()
	})
	return err
}

// guest is a connection that gives its seat back, once.
type guest struct {
	net.Conn
	door *door
	once sync.Once
}

func (g *guest) Close() error {
	err := g.Conn.Close()
	g.once.Do(func() {
		g.door.count(-1)
		<-g.door.seats
	})
	return err
}
