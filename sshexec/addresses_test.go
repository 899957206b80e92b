package sshexec

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/markus-barta/nixfleet/internal/sshtest"
)

// listenOn listens on several loopback addresses, all on one port.
func listenOn(t *testing.T, addresses ...string) (listeners []net.Listener, port int) {
	t.Helper()
	for range 20 {
		listeners = nil
		port = 0
		for _, address := range addresses {
			l, err := net.Listen("tcp", net.JoinHostPort(address, fmt.Sprint(port)))
			if err != nil {
				break // macOS has only 127.0.0.1, or the port is in use there
			}
			t.Cleanup(func() { l.Close() })
			listeners, port = append(listeners, l), l.Addr().(*net.TCPAddr).Port
		}
		if len(listeners) == len(addresses) {
			return listeners, port
		}
	}
	t.Skip("cannot listen on ", addresses)
	return nil, 0
}

// serveOn starts an SSH server on a listener.
func serveOn(t *testing.T, l net.Listener) *sshtest.Server {
	return sshtest.Start(t, sshtest.Config{Listener: l, Handler: sshtest.Shell{}.Handle})
}

// severalAddresses returns a target named web with addresses.
func severalAddresses(port int, addresses ...string) Target {
	return Target{Name: "web", Address: addresses[0], Alternatives: strings.Join(addresses[1:], " "), Port: port}
}

// trustAs adds the key of a server to known_hosts under a name.
func (home *testHome) trustAs(name string, s *sshtest.Server) *testHome {
	home.write("known_hosts", "%s%s\n", home.read("known_hosts"), knownhosts.Line([]string{name}, s.HostKey()))
	return home
}

// TestDialReachesHostAtItsSecondAddress has a first address at which nothing answers, in different
// ways, and a key that is known by the name of the host.
func TestDialReachesHostAtItsSecondAddress(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]func(*testing.T, net.Listener){
		"accepted by the kernel, and then silent": func(*testing.T, net.Listener) {},
		"refused":                  func(_ *testing.T, l net.Listener) { l.Close() },
		"another machine":          func(t *testing.T, l net.Listener) { serveOn(t, l) },
		"a server of another kind": func(t *testing.T, l net.Listener) { go greet(l, "220 mail ready\r\n") },
		"closed at once":           func(t *testing.T, l net.Listener) { go greet(l, "") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listeners, port := listenOn(t, "127.0.0.1", "127.0.0.2")
			first(t, listeners[0])
			s := serveOn(t, listeners[1])
			home := newTestHome(t).trustAs("web", s)
			p := home.pool()
			target := severalAddresses(port, "127.0.0.1", "127.0.0.2")
			c := home.dial(p, target)
			if want := listeners[1].Addr().String(); c.Address() != want {
				t.Errorf("reached at %s, want %s", c.Address(), want)
			}
			if exit, _, _ := run(t, c, "exit 3"); exit != 3 {
				t.Errorf("exit status %d", exit)
			}
			if found, err := p.FindAddress(home.ctx(), target); found != "127.0.0.2" || err != nil {
				t.Errorf("found %q, %v", found, err)
			}
		})
	}
}

// greet sends a text to every client, and closes the connection.
func greet(l net.Listener, text string) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		fmt.Fprint(conn, text)
		conn.Close()
	}
}

func TestFirstAddressThatAnswersIsRemembered(t *testing.T) {
	t.Parallel()
	listeners, port := listenOn(t, "127.0.0.1", "127.0.0.2", "127.0.0.3")
	second := serveOn(t, listeners[1])
	home := newTestHome(t).trustAs("web", second)
	p := home.pool()
	target := severalAddresses(port, "127.0.0.1", "127.0.0.2", "127.0.0.3")
	r := &addressRace{pool: p, target: target, addresses: target.addresses()}
	r.prefer("127.0.0.2")
	if got := strings.Join(r.addresses, " "); got != "127.0.0.2 127.0.0.1 127.0.0.3" {
		t.Errorf("order %s", got)
	}
	home.dial(p, target)
	if got := p.answered["web"]; got != "127.0.0.2" {
		t.Errorf("remembered %q", got)
	}
}

// TestAnotherMachineAtSecondAddressIsRefusedByItsKey has a first address that is down, and another
// machine at the second one.
func TestAnotherMachineAtSecondAddressIsRefusedByItsKey(t *testing.T) {
	t.Parallel()
	listeners, port := listenOn(t, "127.0.0.1", "127.0.0.2")
	real, impostor := serveOn(t, listeners[0]), serveOn(t, listeners[1])
	home := newTestHome(t).trustAs("web", real)
	real.Close()
	_, err := home.pool().Dial(home.ctx(), severalAddresses(port, "127.0.0.1", "127.0.0.2"))
	e := wantError(t, err, KindHostKeyChanged, listeners[1].Addr().String(), `ssh-keygen -R "web"`)
	if e.Offline() || impostor.Logins() != 0 {
		t.Errorf("offline %v, %d logins", e.Offline(), impostor.Logins())
	}
}

// TestUnknownKeyIsAcceptedForAllAddresses accepts a key at one address, and meets it at the other.
func TestUnknownKeyIsAcceptedForAllAddresses(t *testing.T) {
	t.Parallel()
	listeners, port := listenOn(t, "127.0.0.1", "127.0.0.2")
	first := serveOn(t, listeners[0])
	home := newTestHome(t)
	p := home.pool()
	target := severalAddresses(port, "127.0.0.1", "127.0.0.2")
	keys := p.UnknownKeys(home.ctx(), []Target{target})
	if len(keys) != 1 || keys[0].HostName != "web" {
		t.Fatalf("%+v", keys)
	}
	if err := p.Accept(keys[0]); err != nil {
		t.Fatal(err)
	}
	home.dial(p, target).Close()
	first.Close()
	sshtest.Start(t, sshtest.Config{Listener: listeners[1], HostKeys: first.HostKeys(), Handler: sshtest.Shell{}.Handle})
	if c := home.dial(p, target); c.Address() != listeners[1].Addr().String() {
		t.Errorf("reached at %s", c.Address())
	}
}

func TestErrorOfSeveralAddressesNamesEach(t *testing.T) {
	t.Parallel()
	listeners, port := listenOn(t, "127.0.0.1", "127.0.0.2")
	for _, l := range listeners {
		l.Close()
	}
	home := newTestHome(t)
	target := severalAddresses(port, "127.0.0.1", "127.0.0.2", "web.invalid")
	_, err := home.pool().Dial(home.ctx(), target)
	e := wantError(t, err, KindRefused, fmt.Sprintf("127.0.0.1:%d: connection refused; 127.0.0.2:%[1]d: connection refused; cannot resolve", port))
	if !e.Offline() {
		t.Error("not offline")
	}
	if _, err := home.pool().FindAddress(home.ctx(), target); err == nil {
		t.Error("found an address")
	}
}

// TestSettingsDependOnAddress reaches one address directly, and the other through a bastion.
func TestSettingsDependOnAddress(t *testing.T) {
	t.Parallel()
	listeners, port := listenOn(t, "127.0.0.1", "127.0.0.2")
	listeners[0].Close()
	s, bastion := serveOn(t, listeners[1]), faultyServer(t, nil)
	home := newTestHome(t).trust(bastion).trustAs("web", s)
	home.write("config", "Match host 127.0.0.2\n  ProxyJump hop\nHost hop\n  HostName 127.0.0.1\n  Port %d\n", bastion.Port())
	c := home.dial(home.pool(), severalAddresses(port, "127.0.0.1", "127.0.0.2"))
	if c.Address() != listeners[1].Addr().String() || bastion.Forwards() != 1 {
		t.Errorf("reached at %s, %d forwardings", c.Address(), bastion.Forwards())
	}
}
