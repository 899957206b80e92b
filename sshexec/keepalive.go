package sshexec

import (
	"fmt"
	"time"
)

// startKeepAlive starts monitoring the connection. An idle connection needs only a timer for this,
// not a goroutine, because there may be a thousand of them.
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

// silence returns how long ago the server last sent anything.
func (c *Conn) silence() time.Duration { return time.Since(time.Unix(0, c.raw.lastRead.Load())) }

// checkAlive pings the server if it has been silent for an interval.
func (c *Conn) checkAlive() {
	if silence := c.silence(); silence < c.keepAliveInterval {
		c.scheduleKeepAlive(c.keepAliveInterval - silence)
		return
	}
	c.pool.tasks.start(func() {
		if c.ping() {
			c.scheduleKeepAlive(c.keepAliveInterval)
		}
	})
}

// ping sends a keepalive request and reports whether the server answered. It closes the connection
// if the server stays silent for keepAliveTimeout. Any data resets that timeout, because the answer
// may be queued behind other output.
func (c *Conn) ping() bool {
	answered := make(chan error, 1)
	c.pool.tasks.start(func() {
		// The same request as OpenSSH's client sends (clientloop.c). A rejection is an answer too.
		_, _, err := c.client.SendRequest("keepalive@openssh.com", true, nil)
		answered <- err
	})
	sent := time.Now()
	for {
		remaining := c.keepAliveTimeout - min(c.silence(), time.Since(sent))
		if remaining <= 0 {
			c.closeWithError(fmt.Errorf("the host was silent for %v", c.silence().Round(time.Second)))
			return false
		}
		select {
		case err := <-answered:
			return err == nil
		case <-c.done:
			return false
		case <-time.After(remaining):
		}
	}
}
