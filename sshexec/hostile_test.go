package sshexec

import (
	"net"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/markus-barta/nixfleet/internal/sshtest"
)

// A pryingServer tries to open channels to its client, and records what the client requests.
type pryingServer struct {
	port int

	mu       sync.Mutex
	opened   []string // types of the channels that the client accepted
	requests []string // of the client, for the connection or a session
}

// pryingChannels are what a server can ask of a client: its ssh-agent, its display, and connections
// to its network or its sockets.
var pryingChannels = []string{
	"auth-agent@openssh.com", "auth-agent", "x11", "forwarded-tcpip", "direct-tcpip", "forwarded-streamlocal@openssh.com",
	"direct-streamlocal@openssh.com", "session", "tun@openssh.com",
}

func startPryingServer(t *testing.T, key ssh.Signer) *pryingServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &pryingServer{port: listener.Addr().(*net.TCPAddr).Port}
	config := &ssh.ServerConfig{PublicKeyCallback: func(ssh.ConnMetadata, ssh.PublicKey) (*ssh.Permissions, error) { return nil, nil }}
	config.AddHostKey(key)
	var tasks sync.WaitGroup
	tasks.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			tasks.Go(func() { s.serve(conn, config) })
		}
	})
	t.Cleanup(func() { listener.Close(); tasks.Wait() })
	return s
}

func (s *pryingServer) serve(raw net.Conn, config *ssh.ServerConfig) {
	defer raw.Close()
	conn, channels, requests, err := ssh.NewServerConn(raw, config)
	if err != nil {
		return
	}
	var tasks sync.WaitGroup
	defer tasks.Wait()
	tasks.Go(func() { s.record(requests, nil) })
	for incoming := range channels {
		session, requests, err := incoming.Accept()
		if err != nil {
			return
		}
		tasks.Go(func() {
			s.record(requests, func() {
				for _, kind := range pryingChannels {
					if channel, _, err := conn.OpenChannel(kind, nil); err == nil {
						s.note(&s.opened, kind)
						channel.Close()
					}
				}
				_, _ = session.SendRequest("exit-status", false, make([]byte, 4))
				session.Close()
			})
		})
	}
}

// record accepts every request and calls exec for the one that runs a command.
func (s *pryingServer) record(requests <-chan *ssh.Request, exec func()) {
	for r := range requests {
		s.note(&s.requests, r.Type)
		if r.WantReply {
			_ = r.Reply(true, nil)
		}
		if r.Type == "exec" && exec != nil {
			exec()
		}
	}
}

func (s *pryingServer) note(list *[]string, what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*list = append(*list, what)
}

// TestHostReachesNothingOfTheOperator asks for everything in ssh_config(5) that would give a host
// access to the operator's machine, except for ForwardAgent.
func TestHostReachesNothingOfTheOperator(t *testing.T) {
	home := newTestHome(t)
	home.serveAgent(newKeyring(t, 1))
	key, err := sshtest.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	s := startPryingServer(t, key)
	home.write("known_hosts", "[127.0.0.1]:%d %s", s.port, ssh.MarshalAuthorizedKey(key.PublicKey()))
	home.write("config", "Host *\n  ForwardX11 yes\n  ForwardX11Trusted yes\n  RemoteForward 8022 localhost:22\n"+
		"  DynamicForward 1080\n  LocalForward %s localhost:22\n  SendEnv *\n  SetEnv SECRET=1\n  RequestTTY force\n  Tunnel yes\n",
		strconv.Itoa(s.port+1))
	c := home.dial(home.pool(), Target{Name: "web", Address: "127.0.0.1", Port: s.port, Timeout: 5 * time.Second})
	if exit, _, errs := run(t, c, "true"); exit != 0 {
		t.Errorf("exit status %d: %s", exit, errs)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opened != nil {
		t.Errorf("the host could open %q", s.opened)
	}
	if s.requests = slices.DeleteFunc(s.requests, func(r string) bool { return r == "keepalive@openssh.com" }); !slices.Equal(s.requests, []string{"exec"}) {
		t.Errorf("the host was sent the requests %q, want only exec", s.requests)
	}
}
