package sshexec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/markus-barta/nixfleet/internal/sshtest"
)

// faultyServer starts a server that injects a fault into each connection.
func faultyServer(t testing.TB, fault func(nth int) sshtest.Fault) *sshtest.Server {
	return sshtest.Start(t, sshtest.Config{Handler: sshtest.Shell{}.Handle, Fault: fault})
}

// closedPort returns a port on which nothing listens.
func closedPort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func TestDialClosedPortIsRefusedAndOffline(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	port := closedPort(t)
	_, err := home.pool().Dial(home.ctx(), Target{Name: "web", Address: "127.0.0.1", Port: port})
	if e := wantError(t, err, KindRefused, "web: connect", fmt.Sprintf("127.0.0.1:%d", port), "sshd"); !e.Offline() {
		t.Error("Offline() = false, want true")
	}
}

func TestDialUnresolvableNameIsOffline(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	_, err := home.pool().Dial(home.ctx(), Target{Name: "web.invalid"})
	if e := wantError(t, err, KindDNS, "web.invalid: connect", `"web.invalid"`); !e.Offline() {
		t.Error("Offline() = false, want true")
	}
}

func TestDialTimesOutOnSilentServer(t *testing.T) {
	t.Parallel()
	s := faultyServer(t, func(int) sshtest.Fault { return sshtest.Fault{Tarpit: true} })
	home := newTestHome(t).trust(s)
	target := targetOf(s)
	target.Timeout = 200 * time.Millisecond
	start := time.Now()
	_, err := home.pool().Dial(home.ctx(), target)
	if e := wantError(t, err, KindTimeout, "web: connect", "200ms"); !e.Offline() {
		t.Error("Offline() = false, want true")
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestDialReturnsWhenContextIsCanceled(t *testing.T) {
	t.Parallel()
	s := faultyServer(t, func(int) sshtest.Fault { return sshtest.Fault{Tarpit: true} })
	home := newTestHome(t).trust(s)
	ctx, cancel := context.WithCancelCause(home.ctx())
	cause := errors.New("ctrl-c")
	time.AfterFunc(50*time.Millisecond, func() { cancel(cause) })
	start := time.Now()
	_, err := home.pool().Dial(ctx, targetOf(s))
	if e := wantError(t, err, KindStopped, "ctrl-c"); e.Offline() || !errors.Is(err, cause) {
		t.Errorf("Offline() = %v, error %v", e.Offline(), err)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestPoolCloseInterruptsDial(t *testing.T) {
	t.Parallel()
	s := faultyServer(t, func(int) sshtest.Fault { return sshtest.Fault{Tarpit: true} })
	home := newTestHome(t).trust(s)
	p := home.pool()
	time.AfterFunc(50*time.Millisecond, func() { p.Close() })
	_, err := p.Dial(home.ctx(), targetOf(s))
	wantError(t, err, KindStopped)
	_, err = p.Dial(home.ctx(), targetOf(s))
	wantError(t, err, KindStopped)
}

func TestDialRetriesWhenServerIsBusy(t *testing.T) {
	t.Parallel()
	for _, message := range []string{"Exceeded MaxStartups\r\n", "Not allowed at this time\r\n"} {
		s := faultyServer(t, func(nth int) sshtest.Fault {
			if nth < 3 {
				return sshtest.Fault{Refuse: message}
			}
			return sshtest.Fault{}
		})
		home := newTestHome(t).trust(s)
		home.dial(home.pool(), targetOf(s))
		if s.Connections() != 3 {
			t.Errorf("%d connections", s.Connections())
		}
	}
}

func TestDialReportsServerMessageWhenBusyUntilTimeout(t *testing.T) {
	t.Parallel()
	s := faultyServer(t, func(int) sshtest.Fault { return sshtest.Fault{Refuse: "Not allowed at this time\r\n"} })
	home := newTestHome(t).trust(s)
	target := targetOf(s)
	target.Timeout = time.Second
	_, err := home.pool().Dial(home.ctx(), target)
	if e := wantError(t, err, KindBusy, "web: connect", "Not allowed at this time", "later"); !e.Offline() {
		t.Error("Offline() = false, want true")
	}
}

func TestDialTriesThreeTimesWhenServerHangsUpSilently(t *testing.T) {
	t.Parallel()
	s := faultyServer(t, func(int) sshtest.Fault { return sshtest.Fault{CutOut: 1, CutIn: 1} })
	home := newTestHome(t).trust(s)
	_, err := home.pool().Dial(home.ctx(), targetOf(s))
	wantError(t, err, KindLost, "web: connect")
	if s.Connections() != 3 {
		t.Errorf("%d connections", s.Connections())
	}
}

func TestDialQuotesServerThatDoesNotSpeakSSH(t *testing.T) {
	t.Parallel()
	s := faultyServer(t, func(int) sshtest.Fault { return sshtest.Fault{Refuse: "220 mail.example.com ESMTP\x1b[2J\r\n"} })
	home := newTestHome(t).trust(s)
	_, err := home.pool().Dial(home.ctx(), targetOf(s))
	wantError(t, err, KindProtocol, "220 mail.example.com ESMTP", "port")
	if s.Connections() != 1 {
		t.Errorf("%d connections", s.Connections())
	}
}

// TestDialSurvivesCutsAnywhereInHandshake cuts connections at many offsets, in both directions.
// Dial must never hang, and the error must mean that the host may come back.
func TestDialSurvivesCutsAnywhereInHandshake(t *testing.T) {
	t.Parallel()
	var cut atomic.Int64
	var out atomic.Bool
	s := faultyServer(t, func(int) sshtest.Fault {
		if out.Load() {
			return sshtest.Fault{CutOut: cut.Load()}
		}
		return sshtest.Fault{CutIn: cut.Load()}
	})
	home := newTestHome(t).trust(s)
	p := home.pool()
	for position := int64(30); position < 2000; position += 97 {
		for _, direction := range []bool{true, false} {
			cut.Store(position)
			out.Store(direction)
			c, err := p.Dial(home.ctx(), targetOf(s))
			if err == nil { // the login takes fewer bytes
				c.Close()
				continue
			}
			if e := wantError(t, err, KindLost); !e.Offline() {
				t.Errorf("cut at %d: %v", position, err)
			}
		}
	}
}

func TestDialLimitsConcurrentHandshakes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ all, each, want int }{{3, 8, 3}, {32, 2, 2}} {
		var current, most atomic.Int64
		hold := make(chan struct{})
		s := faultyServer(t, func(int) sshtest.Fault {
			most.Store(max(most.Load(), current.Add(1)))
			<-hold
			current.Add(-1)
			return sshtest.Fault{}
		})
		home := newTestHome(t).trust(s)
		home.MaxHandshakes, home.MaxHandshakesPerAddress = c.all, c.each
		p := home.pool()
		var wg sync.WaitGroup
		for range 12 {
			wg.Go(func() { home.dial(p, targetOf(s)) })
		}
		time.Sleep(100 * time.Millisecond)
		close(hold)
		wg.Wait()
		if most.Load() != int64(c.want) {
			t.Errorf("%d concurrent handshakes, want %d", most.Load(), c.want)
		}
		if len(p.handshakes.gates) != 0 {
			t.Errorf("%d gates left in the limiter", len(p.handshakes.gates))
		}
	}
}

func TestDialTimeoutExcludesWaitingForASlot(t *testing.T) {
	t.Parallel()
	s := faultyServer(t, func(nth int) sshtest.Fault {
		if nth == 1 {
			return sshtest.Fault{Tarpit: true}
		}
		return sshtest.Fault{}
	})
	home := newTestHome(t).trust(s)
	home.MaxHandshakes = 1
	p := home.pool()
	slow, fast := targetOf(s), targetOf(s)
	slow.Timeout, fast.Timeout = 1200*time.Millisecond, time.Second
	result := make(chan error)
	go func() { _, err := p.Dial(home.ctx(), slow); result <- err }()
	for s.Connections() == 0 {
		time.Sleep(time.Millisecond)
	}
	home.dial(p, fast)
	wantError(t, <-result, KindTimeout)
}

func TestKeepAliveDetectsSilentServer(t *testing.T) {
	t.Parallel()
	s := faultyServer(t, nil)
	home := newTestHome(t).trust(s)
	home.write("config", "ServerAliveInterval 1\nServerAliveCountMax 1\n")
	c := home.dial(home.pool(), targetOf(s))
	result := make(chan error)
	go func() {
		_, err := c.Run(home.ctx(), Command{Script: "sleep 10"})
		result <- err
	}()
	for s.Sessions() == 0 {
		time.Sleep(time.Millisecond)
	}
	s.Freeze()
	t.Cleanup(s.Thaw)
	if e := wantError(t, <-result, KindLost, "web: session", "was silent for"); !e.Offline() {
		t.Error("Offline() = false, want true")
	}
}

func TestKeepAliveKeepsIdleConnection(t *testing.T) {
	t.Parallel()
	s := faultyServer(t, nil)
	home := newTestHome(t).trust(s)
	home.write("config", "ServerAliveInterval 1\nServerAliveCountMax 1\n")
	c := home.dial(home.pool(), targetOf(s))
	select {
	case <-c.Done():
		t.Error("the connection was lost")
	case <-time.After(3 * time.Second):
	}
	if exit, _, _ := run(t, c, "exit 4"); exit != 4 {
		t.Errorf("exit status %d, want 4", exit)
	}
}

func TestConnDialContextReachesPortsAndReportsErrors(t *testing.T) {
	t.Parallel()
	s := faultyServer(t, nil)
	home := newTestHome(t).trust(s)
	c := home.dial(home.pool(), targetOf(s))
	destination := sshtest.Start(t, sshtest.Config{})
	for network, address := range map[string]string{"tcp": destination.Addr()} {
		conn, err := c.DialContext(home.ctx(), network, address)
		if err != nil {
			t.Fatal(err)
		}
		banner := make([]byte, 4)
		if _, err := conn.Read(banner); err != nil || string(banner) != "SSH-" {
			t.Errorf("%q, %v", banner, err)
		}
		conn.Close()
	}
	_, err := c.DialContext(home.ctx(), "unix", "/nowhere")
	wantError(t, err, KindSession, "web: forward", "/nowhere")
}

func TestDialRepeatsConnectionAttempts(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	port := closedPort(t)
	s := sshtest.Start(t, shellConfig())
	home.write("known_hosts", "[127.0.0.1]:%d %s", port, ssh.MarshalAuthorizedKey(s.HostKey()))
	home.write("config", "ConnectionAttempts 3\n")
	web := Target{Name: "web", Address: "127.0.0.1", Port: port, Timeout: 5 * time.Second}
	time.AfterFunc(500*time.Millisecond, func() {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			t.Error(err)
			return
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial("tcp", s.Addr())
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(to, conn) }()
			_, _ = io.Copy(conn, to)
		}()
	})
	home.dial(home.pool(), web)
}

func TestDialUsesConnectTimeoutOfConfig(t *testing.T) {
	t.Parallel()
	s := faultyServer(t, func(int) sshtest.Fault { return sshtest.Fault{Tarpit: true} })
	home := newTestHome(t)
	home.write("config", "ConnectTimeout 1\n")
	web := targetOf(s)
	web.Timeout = 0
	start := time.Now()
	_, err := home.pool().Dial(home.ctx(), web)
	wantError(t, err, KindTimeout, "1s")
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestDialBindsToNamedAddress(t *testing.T) {
	t.Parallel()
	s := sshtest.Start(t, shellConfig())
	home := newTestHome(t).trust(s)
	home.write("config", "AddressFamily inet\nBindAddress localhost\n")
	home.dial(home.pool(), targetOf(s))
	home.write("config", "BindAddress no-such-name.invalid\n")
	_, err := home.pool().Dial(home.ctx(), targetOf(s))
	wantError(t, err, KindConfig, "no-such-name.invalid")
}

func TestDeadPeerIsNoticedWithin45SecondsByDefault(t *testing.T) {
	t.Parallel()
	s := sshtest.Start(t, shellConfig())
	home := newTestHome(t).trust(s)
	c := home.dial(home.pool(), targetOf(s))
	if limit := c.keepAliveInterval + c.keepAliveTimeout; limit > 45*time.Second {
		t.Errorf("noticed after %v", limit)
	}
	home.write("config", "ServerAliveInterval 20\nServerAliveCountMax 5\n")
	c = home.dial(home.pool(), targetOf(s))
	if c.keepAliveInterval != 20*time.Second || c.keepAliveTimeout != 100*time.Second {
		t.Errorf("got %v and %v", c.keepAliveInterval, c.keepAliveTimeout)
	}
}

func TestDialTimesOutOnDrippingServer(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for {
					if _, err := conn.Write([]byte("x\n")); err != nil {
						return
					}
					time.Sleep(20 * time.Millisecond)
				}
			}()
		}
	}()
	home := newTestHome(t)
	_, err = home.pool().Dial(home.ctx(), Target{
		Name: "web", Address: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, Timeout: 300 * time.Millisecond,
	})
	if e := wantError(t, err, KindTimeout, "no answer within 300ms"); !e.Offline() {
		t.Error("Offline() = false, want true")
	}
}
