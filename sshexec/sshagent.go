package sshexec

import (
	"context"
	"net"
	"sync/atomic"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// agentConn is the one connection to an ssh-agent, shared by all logins.
type agentConn struct {
	agent.ExtendedAgent
	conn   net.Conn
	broken atomic.Bool // a read or write failed: the connection cannot be reused
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
		a := &agentConn{conn: conn}
		a.ExtendedAgent = agent.NewClient(a)
		context.AfterFunc(p.ctx, a.close)
		return a, nil
	})
}

// listAgentKeys returns the keys of the ssh-agent that listens on a socket, and its connection.
func (p *Pool) listAgentKeys(ctx context.Context, socket string) ([]*agent.Key, *agentConn, error) {
	a, err := p.sshAgent(ctx, socket)
	if err != nil {
		return nil, nil, err
	}
	keys, err := await(ctx, &p.tasks, a.List, nil)
	return keys, a, err
}

// agentSignFlags maps the signature algorithms that differ from the key type to the flag that
// requests them from an ssh-agent (RFC 8332).
var agentSignFlags = map[string]agent.SignatureFlags{
	ssh.KeyAlgoRSASHA256: agent.SignatureFlagRsaSha256,
	ssh.KeyAlgoRSASHA512: agent.SignatureFlagRsaSha512,
}
