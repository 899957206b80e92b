package sshtest

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"

	"golang.org/x/crypto/ssh"
)

// Config is how a [Server] behaves. The zero value lets in any user with any key and ends every session with status 0.
type Config struct {
	Listener       net.Listener        // nil: a free port of 127.0.0.1
	HostKeys       []ssh.Signer        // nil: a new ed25519 key
	AuthorizedKeys []ssh.PublicKey     // nil: every key
	MaxAuthTries   int                 // failed logins a connection; 0 is OpenSSH's 6
	MaxSessions    int                 // sessions open at once on a connection; 0 is no limit
	NoForwarding   bool                // refuse direct-tcpip and direct-streamlocal
	Handler        Handler             // nil: succeeds at once
	LoginCommand          string              // the command of a client that asks for a shell; "" refuses it
	Fault          func(nth int) Fault // what becomes of the nth connection, from 1; nil: nothing
}

// Server is an SSH server in this process.
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

// Close stops listening, hangs up on everyone, ends what sessions began, and waits.
func (s *Server) Close() error {
	s.stop()
	err := s.listener.Close()
	s.tasks.Wait()
	return err
}

// Addr is where the server listens, as HOST:PORT.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Port is the port the server listens on.
func (s *Server) Port() int { return s.listener.Addr().(*net.TCPAddr).Port }

// HostKey is the first of the server's host keys.
func (s *Server) HostKey() ssh.PublicKey { return (*s.hostKeys.Load())[0].PublicKey() }

// SetHostKeys changes the host keys for connections to come, as a reinstalled machine does.
func (s *Server) SetHostKeys(keys ...ssh.Signer) { s.hostKeys.Store(&keys) }

// KnownHost is the server's line for a known_hosts file.
func (s *Server) KnownHostsLine() string {
	return fmt.Sprintf("[127.0.0.1]:%d %s", s.Port(), ssh.MarshalAuthorizedKey(s.HostKey()))
}

// Freeze stops every byte in both directions, without closing anything, until [Server.Thaw]: the network is gone, and
// nobody has been told.
func (s *Server) Freeze() { s.network.freeze() }

// Thaw ends a Freeze.
func (s *Server) Thaw() { s.network.thaw() }

// Connections counts the TCP connections so far; Logins, AuthFailures, Sessions and Forwards what they came to.
func (s *Server) Connections() int  { return int(s.conns.Load()) }
func (s *Server) Logins() int       { return int(s.logins.Load()) }
func (s *Server) AuthFailures() int { return int(s.authFailures.Load()) }
func (s *Server) Sessions() int     { return int(s.sessions.Load()) }
func (s *Server) Forwards() int     { return int(s.forwards.Load()) }

// NewKey makes an ed25519 key.
func NewKey() (ssh.Signer, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	return ssh.NewSignerFromKey(key)
}

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
			if s.config.MaxSessions > 0 {
				select {
				case sessions <- struct{}{}:
				default:
					_ = channel.Reject(ssh.ConnectionFailed, "open failed") // sshd's very words
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

// answer refuses global requests; a refusal is all that a keepalive wants.
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
		// Before the client hears of it, so that whoever has logged in finds himself counted.
		AuthLogCallback: func(_ ssh.ConnMetadata, _ string, err error) {
			if err == nil {
				s.logins.Add(1)
			}
		},
	}
	for _, key := range *s.hostKeys.Load() {
		config.AddHostKey(key)
	}
	return config
}
