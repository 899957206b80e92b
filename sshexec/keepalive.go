package sshexec

import (
	"fmt"
	"time"
)

// startBeat begins to look after the connection. While nothing happens this is a timer, and no goroutine: there may be
// a thousand connections.
func (c *Conn) startKeepAlive() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keepAliveTimer = time.AfterFunc(c.keepAliveInterval, c.checkAlive)
}

func (c *Conn) stopKeepAlive() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.keepAliveTimer != nil {
		c.keepAliveTimer.Stop()
	}
}

func (c *Conn) scheduleKeepAlive(after time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.done:
	default:
		c.keepAliveTimer.Reset(after)
	}
}

// quiet is how long the server has not been heard.
func (c *Conn) silence() time.Duration { return time.Since(time.Unix(0, c.raw.lastRead.Load())) }

// look asks the server for a sign of life when it was silent for an interval.
func (c *Conn) checkAlive() {
	if quiet := c.silence(); quiet < c.keepAliveInterval {
		c.scheduleKeepAlive(c.keepAliveInterval - quiet)
		return
	}
	c.pool.tasks.start(func() {
		if c.ping() {
			c.scheduleKeepAlive(c.keepAliveInterval)
		}
	})
}

// alive waits for the sign of life, and gives the connection up where none comes. While other bytes come it goes on waiting:
// the answer may be stuck behind much output.
func (c *Conn) ping() bool {
	answered := make(chan error, 1)
	c.pool.tasks.start(func() {
		_, _, err := c.client.SendRequest("keepalive@openssh.com", true, nil) // a refusal is an answer too
		answered <- err
	})
	asked := time.Now()
	for {
		left := c.keepAliveTimeout - min(c.silence(), time.Since(asked))
		if left <= 0 {
			c.closeWithError(fmt.Errorf("nothing was heard for %v", c.silence().Round(time.Second)))
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
