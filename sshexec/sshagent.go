package sshexec

import (
	"context"
	"net"
	"sync/atomic"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// agentConn is the one connection to an agent: it serves all logins.
type agentConn struct {
	agent.ExtendedAgent
	conn   net.Conn
	broken atomic.Bool
}

// Read and Write make an agentConn what the agent's client talks through, and tell when it is no longer of use.
func (a *agentConn) Read(p []byte) (int, error) {
	n, err := a.conn.Read(p)
	if err != nil {
		a.broken.Store(true)
	}
	return n, err
}

func (a *agentConn) Write(p []byte) (int, error) {
	n, err := a.conn.Write(p)
	if err != nil {
		a.broken.Store(true)
	}
	return n, err
}

func (a *agentConn) close() { _ = a.conn.Close() }

// agent returns the connection to the agent behind a socket.
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

// agentKeys lists what an agent holds.
func (p *Pool) listAgentKeys(ctx context.Context, socket string) ([]*agent.Key, *agentConn, error) {
	a, err := p.sshAgent(ctx, socket)
	if err != nil {
		return nil, nil, err
	}
	keys, err := await(ctx, &p.tasks, a.List, nil)
	return keys, a, err
}

// agentFlags are what an agent is asked for where the algorithm is not the key's own.
var agentSignFlags = map[string]agent.SignatureFlags{
	ssh.KeyAlgoRSASHA256: agent.SignatureFlagRsaSha256,
	ssh.KeyAlgoRSASHA512: agent.SignatureFlagRsaSha512,
}
