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

// forwardAgent answers the host's requests for a connection to the ssh-agent, until the connection
// to the host ends. Without it, every request is rejected.
func (c *Conn) forwardAgent(socket string) {
	channels := c.client.HandleChannelOpen(agentChannel)
	c.pool.tasks.start(func() {
		var open sync.WaitGroup
		defer open.Wait()
		slots := make(chan struct{}, maxForwardedAgents)
		for request := range channels {
			select {
			case slots <- struct{}{}:
			default:
				_ = request.Reject(ssh.ResourceShortage, "too many connections to the ssh-agent")
				continue
			}
			open.Go(func() {
				defer func() { <-slots }()
				c.relayAgent(request, socket)
			})
		}
	})
}

// relayAgent connects a channel with the socket of the ssh-agent, until either side closes.
func (c *Conn) relayAgent(request ssh.NewChannel, socket string) {
	var d net.Dialer
	conn, err := d.DialContext(c.pool.ctx, "unix", socket)
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
	if c.forwardsAgent {
		_, _ = session.SendRequest(agentRequest, false, nil)
	}
}
