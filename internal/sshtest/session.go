package sshtest

import (
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"

	"golang.org/x/crypto/ssh"
)

// A Handler runs the command of a session and returns its exit status.
type Handler func(*Session) int

// NoStatus, returned by a [Handler], ends the session without an exit status.
const NoStatus = -1

// A Session is one command that a client runs.
type Session struct {
	Context context.Context // canceled when the session or the server is closed
	Server  context.Context // canceled when the server is closed
	User    string
	Command string
	Env     []string // variables that the client requested
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer

	channel ssh.Channel
	conn    ssh.Conn
}

// OpenChannel opens a channel from the server to the client, as for a connection to the ssh-agent,
// and closes it. The error is the client's reason to reject it.
func (s *Session) OpenChannel(kind string) error {
	channel, requests, err := s.conn.OpenChannel(kind, nil)
	if err != nil {
		return err
	}
	go ssh.DiscardRequests(requests)
	return channel.Close()
}

// sendExitStatus sends the exit status to the client. Output may still follow it.
func (s *Session) sendExitStatus(status int) {
	if status == NoStatus {
		return
	}
	_, _ = s.channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{uint32(status)}))
}

func (s *Server) session(conn *ssh.ServerConn, incoming ssh.NewChannel) {
	channel, requests, err := incoming.Accept()
	if err != nil {
		return
	}
	defer channel.Close()
	s.sessions.Add(1)
	ctx, cancel := context.WithCancel(s.ctx)
	session := &Session{
		Context: ctx, Server: s.ctx, User: conn.User(),
		Stdin: channel, Stdout: channel, Stderr: channel.Stderr(), channel: channel, conn: conn,
	}
	var tasks sync.WaitGroup
	defer tasks.Wait()
	defer cancel()
	for r := range requests { // closed with the channel
		switch r.Type {
		case "env":
			var set struct{ Name, Value string }
			if ssh.Unmarshal(r.Payload, &set) == nil {
				session.Env = append(session.Env, set.Name+"="+set.Value)
			}
			_ = r.Reply(true, nil)
		case "exec", "shell":
			exec := struct{ Command string }{s.config.LoginCommand}
			if r.Type == "exec" && ssh.Unmarshal(r.Payload, &exec) != nil || session.Command != "" || exec.Command == "" {
				_ = r.Reply(false, nil)
				continue
			}
			session.Command = exec.Command
			_ = r.Reply(true, nil)
			tasks.Go(func() {
				defer channel.Close()
				status := 0
				if s.config.Handler != nil {
					status = s.config.Handler(session)
				}
				session.sendExitStatus(status)
			})
		default:
			if r.WantReply {
				_ = r.Reply(false, nil)
			}
		}
	}
}

// forward serves a channel that forwards to a TCP address or a Unix socket.
func (s *Server) forward(incoming ssh.NewChannel) {
	network, address := "tcp", ""
	switch incoming.ChannelType() {
	case "direct-tcpip":
		var to struct {
			Host       string
			Port       uint32
			Origin     string
			OriginPort uint32
		}
		if ssh.Unmarshal(incoming.ExtraData(), &to) != nil {
			_ = incoming.Reject(ssh.ConnectionFailed, "malformed request")
			return
		}
		address = net.JoinHostPort(to.Host, strconv.Itoa(int(to.Port)))
	default:
		var to struct {
			Path      string
			Reserved  string
			Reserved2 uint32
		}
		if ssh.Unmarshal(incoming.ExtraData(), &to) != nil {
			_ = incoming.Reject(ssh.ConnectionFailed, "malformed request")
			return
		}
		network, address = "unix", to.Path
	}
	if s.config.NoForwarding {
		_ = incoming.Reject(ssh.Prohibited, "administratively prohibited")
		return
	}
	var d net.Dialer
	target, err := d.DialContext(s.ctx, network, address)
	if err != nil {
		_ = incoming.Reject(ssh.ConnectionFailed, fmt.Sprint(err))
		return
	}
	defer target.Close()
	defer context.AfterFunc(s.ctx, func() { target.Close() })()
	channel, requests, err := incoming.Accept()
	if err != nil {
		return
	}
	defer channel.Close()
	s.forwards.Add(1)
	var copying, replying sync.WaitGroup
	replying.Go(func() { rejectRequests(requests) })
	copying.Go(func() {
		_, _ = io.Copy(target, channel)
		if half, ok := target.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		}
	})
	copying.Go(func() {
		_, _ = io.Copy(channel, target)
		_ = channel.CloseWrite()
	})
	copying.Wait()
	channel.Close()
	replying.Wait()
}
