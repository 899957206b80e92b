package sshexec

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// agentConn is the one connection to an ssh-agent, shared by all logins.
type agentConn struct {
	agent.ExtendedAgent
	conn   net.Conn
	slot   chan struct{} // holds one element while a request is active
	broken atomic.Bool   // a read or write failed: the connection cannot be reused
}

// An ssh-agent answers a list of keys immediately. A signature may wait until the operator touches
// a security key or answers a dialog. An agent that takes longer than that hangs.
const (
	defaultAgentListTimeout = 5 * time.Second
	agentSignTimeout        = time.Minute
	// agentRetryDelay is for how long an agent that hung is not asked again.
	agentRetryDelay = time.Minute
)

// agentHangError reports an ssh-agent that did not answer.
type agentHangError struct{ after time.Duration }

func (e agentHangError) Error() string { return fmt.Sprintf("it did not answer within %v", e.after) }

// agentCall sends a request to an ssh-agent once no other request is active. If the agent does not
// answer in time, its connection is closed.
func agentCall[T any](ctx context.Context, p *Pool, a *agentConn, limit time.Duration, request func() (T, error)) (T, error) {
	var zero T
	select {
	case a.slot <- struct{}{}:
	case <-ctx.Done():
		return zero, context.Cause(ctx)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, agentHangError{limit})
	defer cancel()
	return await(ctx, &p.tasks, func() (T, error) {
		defer func() { <-a.slot }()
		defer context.AfterFunc(ctx, func() {
			var hang agentHangError
			if errors.As(context.Cause(ctx), &hang) {
				a.broken.Store(true)
				a.close() // ends the request
			}
		})()
		return request()
	}, nil)
}

// Read implements io.Reader for the agent client and records failures in broken.
func (a *agentConn) Read(p []byte) (int, error) {
	n, err := a.conn.Read(p)
	if err != nil {
		a.broken.Store(true)
	}
	return n, err
}

// Write implements io.Writer for the agent client and records failures in broken.
func (a *agentConn) Write(p []byte) (int, error) {
	n, err := a.conn.Write(p)
	if err != nil {
		a.broken.Store(true)
	}
	return n, err
}

func (a *agentConn) close() { _ = a.conn.Close() }

// sshAgent returns the shared connection to the ssh-agent that listens on a socket.
func (p *Pool) sshAgent(ctx context.Context, socket string) (*agentConn, error) {
	usable := func(a *agentConn) bool { return !a.broken.Load() }
	return p.sshAgents.get(ctx, socket, usable, func() (*agentConn, error) {
		var d net.Dialer
		conn, err := d.DialContext(p.ctx, "unix", socket)
		if err != nil {
			return nil, err
		}
		a := &agentConn{conn: conn, slot: make(chan struct{}, 1)}
		a.ExtendedAgent = agent.NewClient(a)
		context.AfterFunc(p.ctx, a.close)
		return a, nil
	})
}

// listAgentKeys returns the keys of the ssh-agent that listens on a socket, and its connection.
func (p *Pool) listAgentKeys(ctx context.Context, socket string) ([]*agent.Key, *agentConn, error) {
	p.mu.Lock()
	hungAt, hung := p.hungAgents[socket]
	p.mu.Unlock()
	if hung && time.Since(hungAt) < agentRetryDelay {
		return nil, nil, agentHangError{p.agentListTimeout}
	}
	a, err := p.sshAgent(ctx, socket)
	if err != nil {
		return nil, nil, err
	}
	keys, err := agentCall(ctx, p, a, p.agentListTimeout, a.List)
	var hang agentHangError
	if errors.As(err, &hang) {
		p.mu.Lock()
		p.hungAgents[socket] = time.Now()
		p.mu.Unlock()
	}
	return keys, a, err
}

// agentSignFlags maps the signature algorithms that differ from the key type to the flag that
// requests them from an ssh-agent (RFC 8332).
var agentSignFlags = map[string]agent.SignatureFlags{
	ssh.KeyAlgoRSASHA256: agent.SignatureFlagRsaSha256,
	ssh.KeyAlgoRSASHA512: agent.SignatureFlagRsaSha512,
}
