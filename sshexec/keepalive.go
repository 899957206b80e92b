package sshexec

import (
	"fmt"
	"time"
)

// startBeat begins to look after the connection. While nothing happens this is a timer, and no goroutine: there may be
// a thousand connections.
func (c *Conn) startBeat() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.beat = time.AfterFunc(c.interval, c.look)
}

func (c *Conn) stopBeat() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.beat != nil {
		c.beat.Stop()
	}
}

func (c *Conn) nextBeat(after time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.done:
	default:
		c.beat.Reset(after)
	}
}

// quiet is how long the server has not been heard.
func (c *Conn) quiet() time.Duration { return time.Since(time.Unix(0, c.wire.heard.Load())) }

// look asks the server for a sign of life when it was silent for an interval.
func (c *Conn) look() {
	if quiet := c.quiet(); quiet < c.interval {
		c.nextBeat(c.interval - quiet)
		return
	}
	c.pool.tasks.start(func() {
		if c.alive() {
			c.nextBeat(c.interval)
		}
	})
}

// alive waits for the sign of life, and gives the connection up where none comes. While other bytes come it goes on waiting:
// the answer may be stuck behind much output.
func (c *Conn) alive() bool {
	answered := make(chan error, 1)
	c.pool.tasks.start(func() {
		_, _, err := c.client.SendRequest("keepalive@openssh.com", true, nil) // a refusal is an answer too
		answered <- err
	})
	asked := time.Now()
	for {
		left := c.limit - min(c.quiet(), time.Since(asked))
		if left <= 0 {
			c.giveUp(fmt.Errorf("nothing was heard for %v", c.quiet().Round(time.Second)))
			return false
		}
		select {
		case err := <-answered:
			return err == nil
		case <-c.done:
			return false
		case <-time.After(left):
		}
	}
}
