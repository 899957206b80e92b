package sshtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"

	"golang.org/x/crypto/ssh"
)

// Config configures a [Server]. The zero value accepts any user with any key and ends every session
// with status 0.
type Config struct {
	Listener       net.Listener        // nil means a free port of 127.0.0.1
	HostKeys       []ssh.Signer        // nil means a new ed25519 key
	AuthorizedKeys []ssh.PublicKey     // nil accepts every key
	Password       string              // accept only this password, and no keys; "" means keys only
	MaxAuthTries   int                 // failed logins per connection; 0 means 6, OpenSSH's default
	MaxSessions    int                 // concurrent sessions per connection; 0 means no limit
	RejectSessions string              // if not empty, reject all sessions with this message
	Banner         string              // sent before the login
	NoForwarding   bool                // reject direct-tcpip and direct-streamlocal channels
	Handler        Handler             // nil means that commands succeed immediately
	LoginCommand   string              // what a client that requests a shell runs; "" rejects it
	Fault          func(nth int) Fault // the fault of the nth connection, from 1; nil means none

	// Question is what asks for Password, by keyboard-interactive; "" means by password.
	Question string
}

// A Server is an SSH server in this process.
type Server struct {
	config   Config
	hostKeys atomic.Pointer[[]ssh.Signer]
	listener net.Listener
	ctx      context.Context
	stop     context.CancelFunc
	tasks    sync.WaitGroup
	network  freezer

	conns, logins, authFailures, sessions, forwards atomic.Int64
}

// New starts a server.
func New(config Config) (*Server, error) {
	s := &Server{config: config, listener: config.Listener}
	keys := config.HostKeys
	if keys == nil {
		key, err := NewKey()
		if err != nil {
			return nil, err
		}
		keys = []ssh.Signer{key}
	}
	s.hostKeys.Store(&keys)
	if s.listener == nil {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		s.listener = l
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.tasks.Go(s.accept)
	return s, nil
}

// Close stops listening, closes every connection, kills what sessions started, and waits for it all
// to end.
func (s *Server) Close() error {
	s.stop()
	err := s.listener.Close()
	s.tasks.Wait()
	return err
}

// Addr returns the address the server listens on, as HOST:PORT.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Port returns the port the server listens on.
func (s *Server) Port() int { return s.listener.Addr().(*net.TCPAddr).Port }

// HostKey returns the first of the server's host keys.
func (s *Server) HostKey() ssh.PublicKey { return (*s.hostKeys.Load())[0].PublicKey() }

// HostKeys returns the server's host keys.
func (s *Server) HostKeys() []ssh.Signer { return *s.hostKeys.Load() }

// SetHostKeys changes the host keys for future connections, as reinstalling a machine would.
func (s *Server) SetHostKeys(keys ...ssh.Signer) { s.hostKeys.Store(&keys) }

// KnownHostsLine returns the known_hosts line for the server.
func (s *Server) KnownHostsLine() string {
	return fmt.Sprintf("[127.0.0.1]:%d %s", s.Port(), ssh.MarshalAuthorizedKey(s.HostKey()))
}

// Freeze stops all traffic in both directions until [Server.Thaw], without closing any connection,
// as a network failure does.
func (s *Server) Freeze() { s.network.freeze() }

// Thaw resumes traffic after [Server.Freeze].
func (s *Server) Thaw() { s.network.thaw() }

// Connections returns the number of TCP connections so far. Logins, AuthFailures, Sessions and
// Forwards count what happened on them.
func (s *Server) Connections() int  { return int(s.conns.Load()) }
func (s *Server) Logins() int       { return int(s.logins.Load()) }
func (s *Server) AuthFailures() int { return int(s.authFailures.Load()) }
func (s *Server) Sessions() int     { return int(s.sessions.Load()) }
func (s *Server) Forwards() int     { return int(s.forwards.Load()) }

func (s *Server) accept() {
	for {
		raw, err := s.listener.Accept()
		if err != nil {
			return
		}
		nth := int(s.conns.Add(1))
		s.tasks.Go(func() {
			var fault Fault
			if s.config.Fault != nil {
				fault = s.config.Fault(nth)
			}
			s.serve(raw, fault)
		})
	}
}

func (s *Server) serve(raw net.Conn, fault Fault) {
	defer raw.Close()
	defer context.AfterFunc(s.ctx, func() { raw.Close() })()
	if fault.refuse(s.ctx, raw) {
		return
	}
	conn := newFaultyConn(raw, fault, &s.network)
	defer conn.Close()
	defer context.AfterFunc(s.ctx, func() { conn.Close() })()

	server, channels, requests, err := ssh.NewServerConn(conn, s.serverConfig())
	if err != nil {
		return
	}
	defer server.Close()
	if fault.FreezeAfterLogin {
		conn.own.freeze()
	}

	var tasks sync.WaitGroup
	defer tasks.Wait()
	tasks.Go(func() { rejectRequests(requests) })
	sessions := make(chan struct{}, max(s.config.MaxSessions, 1))
	for channel := range channels {
		switch channel.ChannelType() {
		case "session":
			if s.config.RejectSessions != "" {
				_ = channel.Reject(ssh.Prohibited, s.config.RejectSessions)
				continue
			}
			if s.config.MaxSessions > 0 {
				select {
				case sessions <- struct{}{}:
				default:
					// The same message as sshd's.
					_ = channel.Reject(ssh.ConnectionFailed, "open failed")
					continue
				}
			}
			tasks.Go(func() {
				s.session(server, channel)
				if s.config.MaxSessions > 0 {
					<-sessions
				}
			})
		case "direct-tcpip", "direct-streamlocal@openssh.com":
			tasks.Go(func() { s.forward(channel) })
		default:
			_ = channel.Reject(ssh.UnknownChannelType, "unknown channel type")
		}
	}
}

// rejectRequests rejects every request. A rejection is a valid reply to a keepalive.
func rejectRequests(requests <-chan *ssh.Request) {
	for r := range requests {
		if r.WantReply {
			_ = r.Reply(false, nil)
		}
	}
}

func (s *Server) serverConfig() *ssh.ServerConfig {
	config := &ssh.ServerConfig{
		MaxAuthTries:  s.config.MaxAuthTries,
		ServerVersion: "SSH-2.0-sshtest",
		PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if s.config.AuthorizedKeys == nil {
				return nil, nil
			}
			for _, known := range s.config.AuthorizedKeys {
				if bytes.Equal(known.Marshal(), key.Marshal()) {
					return nil, nil
				}
			}
			s.authFailures.Add(1)
			return nil, errors.New("key not authorized")
		},
		// Called before the client is notified, so a client that has logged in is always counted.
		AuthLogCallback: func(_ ssh.ConnMetadata, _ string, err error) {
			if err == nil {
				s.logins.Add(1)
			}
		},
	}
	if s.config.Banner != "" {
		config.BannerCallback = func(ssh.ConnMetadata) string { return s.config.Banner }
	}
	if s.config.Password != "" {
		config.PublicKeyCallback = nil
		if s.config.Question == "" {
			config.PasswordCallback = func(_ ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
				return s.checkPassword(string(password))
			}
		} else {
			config.KeyboardInteractiveCallback = func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
				answers, err := ask("", "", []string{s.config.Question}, []bool{false})
				if err != nil {
					return nil, err
				}
				return s.checkPassword(answers[0])
			}
		}
	}
	for _, key := range *s.hostKeys.Load() {
		config.AddHostKey(key)
	}
	return config
}

func (s *Server) checkPassword(password string) (*ssh.Permissions, error) {
	if password == s.config.Password {
		return nil, nil
	}
	s.authFailures.Add(1)
	return nil, errors.New("wrong password")
}
