package sshexec

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
)

// The names of agent forwarding in OpenSSH's PROTOCOL.agent.
const (
	agentRequest = "auth-agent-req@openssh.com"
	agentChannel = "auth-agent@openssh.com"
)

// maxForwardedAgents limits how many connections to the ssh-agent a host may have open at once.
const maxForwardedAgents = 16

// resolveForwardAgent sets ForwardAgent, which the configuration may set to a flag, to $NAME or to
// a path, to the path of a socket, or to "". As in ssh.c, yes means the agent that the login uses.
func (p *Pool) resolveForwardAgent(s *Settings) error {
	switch value := s.ForwardAgent; strings.ToLower(value) {
	case "", "no", "false":
		s.ForwardAgent = ""
	case "yes", "true":
		s.ForwardAgent = s.IdentityAgent
	default:
		if name, ok := strings.CutPrefix(value, "$"); ok && !strings.HasPrefix(name, "{") {
			s.ForwardAgent = p.options.Getenv(name)
			return nil
		}
		path, err := p.expandTokens(value, *s)
		if err != nil {
			return fmt.Errorf("ForwardAgent: %w", err)
		}
		s.ForwardAgent = expandTilde(path, p.options.Home)
	}
	return nil
}

// agentRelay connects channels that a host opens with the socket of an ssh-agent.
type agentRelay struct {
	pool   *Pool
	socket string
	slots  chan struct{} // holds an element for each open connection
}

func newAgentRelay(p *Pool, socket string) *agentRelay {
	return &agentRelay{pool: p, socket: socket, slots: make(chan struct{}, maxForwardedAgents)}
}

// accept serves a channel, or rejects it, without blocking.
func (a *agentRelay) accept(request ssh.NewChannel) {
	select {
	case a.slots <- struct{}{}:
	default:
		_ = request.Reject(ssh.ResourceShortage, "too many connections to the ssh-agent")
		return
	}
	started := a.pool.tasks.start(func() {
		defer func() { <-a.slots }()
		a.relay(request)
	})
	if !started {
		_ = request.Reject(ssh.ConnectionFailed, "the connection is being closed")
	}
}

// relay connects a channel with the socket of the ssh-agent, until either side closes.
func (a *agentRelay) relay(request ssh.NewChannel) {
	var d net.Dialer
	conn, err := d.DialContext(a.pool.ctx, "unix", a.socket)
	if err != nil {
		_ = request.Reject(ssh.ConnectionFailed, "the ssh-agent does not answer")
		return
	}
	defer conn.Close()
	channel, requests, err := request.Accept()
	if err != nil {
		return
	}
	defer channel.Close()
	var copying sync.WaitGroup
	defer copying.Wait()
	copying.Go(func() { ssh.DiscardRequests(requests) })
	copying.Go(func() {
		_, _ = io.Copy(channel, conn)
		channel.Close() // ends the other copy
	})
	_, _ = io.Copy(conn, channel)
	conn.Close()
	channel.Close()
}

// requestAgent asks for the ssh-agent in a session that has not started. Like ssh, it does not wait
// for the answer: a server may not allow it.
func (c *Conn) requestAgent(session *ssh.Session) {
	if c.agents != nil {
		_, _ = session.SendRequest(agentRequest, false, nil)
	}
}
