package sshexec

import (
	"context"
	"fmt"
	"syscall"
	"time"
)

// room limits how many connections are open, so that this process does not run out of file
// descriptors. Only first logins to hosts wait for room. A host that is connected may need a second
// login at any time, and a lost one again, so the limit leaves descriptors for that. The mutex of
// the Pool guards it.
type room struct {
	max   int
	taken int           // connections that Dial returned, and first logins in progress
	left  chan struct{} // closed when there may be room again
}

func newRoom(size int) room { return room{max: size, left: make(chan struct{})} }

// descriptors is how many file descriptors a host needs: for its connection, a second login, its
// log, and a check of its services.
const (
	descriptorsPerHost = 4
	otherDescriptors   = 32 // of the rest of the program
)

// connsThatFit returns how many hosts can be connected within the limit of open files. Package os
// has raised the soft limit to the hard one, except for child processes (rlimit.go in that
// package).
func connsThatFit() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur > 1<<20 {
		return (1<<20 - otherDescriptors) / descriptorsPerHost
	}
	return max(1, (int(limit.Cur)-otherDescriptors)/descriptorsPerHost)
}

// MaxConns returns how many hosts can be connected at once.
func (p *Pool) MaxConns() int { return p.room.max }

const shortageFix = "raise the limit of open files (ulimit -n), or work on fewer hosts at once"

// enter waits until there is room for another connection. If there is none after limit, it returns
// an error about this machine. The caller must call leave when the connection is open, or has
// failed.
func (r *room) enter(ctx context.Context, p *Pool, t Target, limit time.Duration) (leave func(), err error) {
	expired := time.NewTimer(limit)
	defer expired.Stop()
	for {
		p.mu.Lock()
		switch {
		case p.loggedIn[t.Name]:
			p.mu.Unlock()
			return func() {}, nil
		case r.taken < r.max:
			r.taken++
			p.mu.Unlock()
			return func() {
				p.mu.Lock()
				defer p.mu.Unlock()
				r.leaveLocked()
			}, nil
		}
		left := r.left
		p.mu.Unlock()
		select {
		case <-left:
		case <-ctx.Done():
			return nil, p.errorFor(t, "connect", contextKind(ctx), context.Cause(ctx))
		case <-p.ctx.Done():
			return nil, p.errorFor(t, "connect", KindStopped, errClosed)
		case <-expired.C:
			return nil, &Error{
				Host: t.Name, Phase: "connect", Kind: KindShortage, Fix: shortageFix,
				Err: fmt.Errorf("this machine has %d connections, and room for no more", r.max),
			}
		}
	}
}

// occupy counts a connection that is open until it ends. Those to bastions do not count: hosts
// share them, and they stay.
func (r *room) occupy(p *Pool, c *Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, open := p.conns[c]; open {
		c.occupies = true
		r.taken++
	}
}

// leaveLocked makes room, and wakes those that wait for it.
func (r *room) leaveLocked() {
	r.taken--
	close(r.left)
	r.left = make(chan struct{})
}
