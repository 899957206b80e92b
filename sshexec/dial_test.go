package sshexec

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/internal/sshtest"
)

// faulty is a server whose connections are ill in a way of their own.
func faultyServer(t testing.TB, fault func(nth int) sshtest.Fault) *sshtest.Server {
	return sshtest.Start(t, sshtest.Config{Handler: sshtest.Shell{}.Handle, Fault: fault})
}

// closedPort is where nothing listens.
func closedPort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func TestNothingThatListensIsRefusedAndOffline(t *testing.T) {
	w := newTestHome(t)
	port := closedPort(t)
	_, err := w.pool().Dial(w.ctx(), Target{Name: "web", Address: "127.0.0.1", Port: port})
	if e := wantError(t, err, KindRefused, "web: connect", fmt.Sprintf("127.0.0.1:%d", port), "sshd"); !e.Offline() {
		t.Error("it is offline")
	}
}

func TestANameWithoutAnAddressIsOffline(t *testing.T) {
	w := newTestHome(t)
	_, err := w.pool().Dial(w.ctx(), Target{Name: "web.invalid"})
	if e := wantError(t, err, KindDNS, "web.invalid: connect", `"web.invalid"`); !e.Offline() {
		t.Error("it is offline")
	}
}

func TestAServerThatSaysNothingIsGivenUpInTime(t *testing.T) {
	s := faultyServer(t, func(int) sshtest.Fault { return sshtest.Fault{Tarpit: true} })
	w := newTestHome(t).trust(s)
	target := targetOf(s)
	target.Timeout = 200 * time.Millisecond
	begun := time.Now()
	_, err := w.pool().Dial(w.ctx(), target)
	if e := wantError(t, err, KindTimeout, "web: connect", "200ms"); !e.Offline() {
		t.Error("it is offline")
	}
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestDialReturnsAtOnceWhenItsContextEnds(t *testing.T) {
	s := faultyServer(t, func(int) sshtest.Fault { return sshtest.Fault{Tarpit: true} })
	w := newTestHome(t).trust(s)
	ctx, cancel := context.WithCancelCause(w.ctx())
	why := errors.New("ctrl-c")
	time.AfterFunc(50*time.Millisecond, func() { cancel(why) })
	begun := time.Now()
	_, err := w.pool().Dial(ctx, targetOf(s))
	if e := wantError(t, err, KindStopped, "ctrl-c"); e.Offline() || !errors.Is(err, why) {
		t.Error("nothing is known of the host")
	}
	if took := time.Since(begun); took > time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestClosingThePoolEndsADial(t *testing.T) {
	s := faultyServer(t, func(int) sshtest.Fault { return sshtest.Fault{Tarpit: true} })
	w := newTestHome(t).trust(s)
	p := w.pool()
	time.AfterFunc(50*time.Millisecond, func() { p.Close() })
	_, err := p.Dial(w.ctx(), targetOf(s))
	wantError(t, err, KindStopped)
	_, err = p.Dial(w.ctx(), targetOf(s))
	wantError(t, err, KindStopped)
}

func TestARefusalBeforeTheBannerIsTriedAgain(t *testing.T) {
	t.Parallel()
	for _, words := range []string{"Exceeded MaxStartups\r\n", "Not allowed at this time\r\n"} {
		s := faultyServer(t, func(nth int) sshtest.Fault {
			if nth < 3 {
				return sshtest.Fault{Refuse: words}
			}
			return sshtest.Fault{}
		})
		w := newTestHome(t).trust(s)
		w.dial(w.pool(), targetOf(s))
		if s.Connections() != 3 {
			t.Errorf("%d connections", s.Connections())
		}
	}
}

func TestARefusalThatDoesNotEndIsSaidInTheServersWords(t *testing.T) {
	t.Parallel()
	s := faultyServer(t, func(int) sshtest.Fault { return sshtest.Fault{Refuse: "Not allowed at this time\r\n"} })
	w := newTestHome(t).trust(s)
	target := targetOf(s)
	target.Timeout = time.Second
	_, err := w.pool().Dial(w.ctx(), target)
	if e := wantError(t, err, KindBusy, "web: connect", "Not allowed at this time", "later"); !e.Offline() {
		t.Error("later it may work")
	}
}

func TestAServerThatHangsUpWithoutAWordIsTriedThreeTimes(t *testing.T) {
	t.Parallel()
	s := faultyServer(t, func(int) sshtest.Fault { return sshtest.Fault{CutOut: 1, CutIn: 1} })
	w := newTestHome(t).trust(s)
	_, err := w.pool().Dial(w.ctx(), targetOf(s))
	wantError(t, err, KindLost, "web: connect")
	if s.Connections() != 3 {
		t.Errorf("%d connections", s.Connections())
	}
}

func TestWhatIsNotSSHIsNamedByWhatItSays(t *testing.T) {
	s := faultyServer(t, func(int) sshtest.Fault { return sshtest.Fault{Refuse: "220 mail.example.com ESMTP\x1b[2J\r\n"} })
	w := newTestHome(t).trust(s)
	_, err := w.pool().Dial(w.ctx(), targetOf(s))
	wantError(t, err, KindProtocol, "220 mail.example.com ESMTP", "port")
	if s.Connections() != 1 {
		t.Errorf("%d connections", s.Connections())
	}
}

// TestAConnectionCutAnywhereInTheHandshakeEnds cuts at many bytes, in both directions: never a hang, always a kind that
// lets the caller come back.
func TestAConnectionCutAnywhereInTheHandshakeEnds(t *testing.T) {
	var cut atomic.Int64
	var out atomic.Bool
	s := faultyServer(t, func(int) sshtest.Fault {
		if out.Load() {
			return sshtest.Fault{CutOut: cut.Load()}
		}
		return sshtest.Fault{CutIn: cut.Load()}
	})
	w := newTestHome(t).trust(s)
	p := w.pool()
	for at0 := int64(30); at0 < 2000; at0 += 97 {
		for _, direction := range []bool{true, false} {
			cut.Store(at0)
			out.Store(direction)
			c, err := p.Dial(w.ctx(), targetOf(s))
			if err == nil { // the login needed fewer bytes
				c.Close()
				continue
			}
			if e := wantError(t, err, KindLost); !e.Offline() {
				t.Errorf("cut at %d: %v", at0, err)
			}
		}
	}
}

func TestNoMoreHandshakesAtOnceThanTheLimits(t *testing.T) {
	for _, c := range []struct{ all, each, want int }{{3, 8, 3}, {32, 2, 2}} {
		var now, most atomic.Int64
		hold := make(chan struct{})
		s := faultyServer(t, func(int) sshtest.Fault {
			most.Store(max(most.Load(), now.Add(1)))
			<-hold
			now.Add(-1)
			return sshtest.Fault{}
		})
		w := newTestHome(t).trust(s)
		w.MaxHandshakes, w.MaxHandshakesPerAddress = c.all, c.each
		p := w.pool()
		var wg sync.WaitGroup
		for range 12 {
			wg.Go(func() { w.dial(p, targetOf(s)) })
		}
		time.Sleep(100 * time.Millisecond)
		close(hold)
		wg.Wait()
		if most.Load() != int64(c.want) {
			t.Errorf("%d at once, want %d", most.Load(), c.want)
		}
		if len(p.handshakes.perAddress) != 0 {
			t.Error("a gate is left")
		}
	}
}

func TestWaitingForOthersDoesNotCountAsTheHostsTime(t *testing.T) {
	t.Parallel()
	s := faultyServer(t, func(nth int) sshtest.Fault {
		if nth == 1 {
			return sshtest.Fault{Tarpit: true}
		}
		return sshtest.Fault{}
	})
	w := newTestHome(t).trust(s)
	w.MaxHandshakes = 1
	p := w.pool()
	slow, quick := targetOf(s), targetOf(s)
	slow.Timeout, quick.Timeout = 1200*time.Millisecond, time.Second
	ended := make(chan error)
	go func() { _, err := p.Dial(w.ctx(), slow); ended <- err }()
	for s.Connections() == 0 {
		time.Sleep(time.Millisecond)
	}
	w.dial(p, quick)
	wantError(t, <-ended, KindTimeout)
}

func TestAServerThatFallsSilentIsLost(t *testing.T) {
	t.Parallel()
	s := faultyServer(t, nil)
	w := newTestHome(t).trust(s)
	w.write("config", "ServerAliveInterval 1\nServerAliveCountMax 1\n")
	c := w.dial(w.pool(), targetOf(s))
	ended := make(chan error)
	go func() {
		_, err := c.Run(w.ctx(), Command{Script: "sleep 10"})
		ended <- err
	}()
	for s.Sessions() == 0 {
		time.Sleep(time.Millisecond)
	}
	s.Freeze()
	t.Cleanup(s.Thaw)
	begun := time.Now()
	e := wantError(t, <-ended, KindLost, "web: session", "nothing was heard")
	if took := time.Since(begun); took > 4*time.Second || !e.Offline() {
		t.Errorf("it took %v", took)
	}
}

func TestAServerThatAnswersIsKept(t *testing.T) {
	t.Parallel()
	s := faultyServer(t, nil)
	w := newTestHome(t).trust(s)
	w.write("config", "ServerAliveInterval 1\nServerAliveCountMax 1\n")
	c := w.dial(w.pool(), targetOf(s))
	select {
	case <-c.Done():
		t.Error("the connection was lost")
	case <-time.After(3 * time.Second):
	}
	if exit, _, _ := run(t, c, "exit 4"); exit != 4 {
		t.Error("it is of no use")
	}
}

func TestAConnectionReachesPortsAndSocketsOfTheHost(t *testing.T) {
	s := faultyServer(t, nil)
	w := newTestHome(t).trust(s)
	c := w.dial(w.pool(), targetOf(s))
	there := sshtest.Start(t, sshtest.Config{})
	for network, address := range map[string]string{"tcp": there.Addr()} {
		conn, err := c.DialContext(w.ctx(), network, address)
		if err != nil {
			t.Fatal(err)
		}
		banner := make([]byte, 4)
		if _, err := conn.Read(banner); err != nil || string(banner) != "SSH-" {
			t.Errorf("%q, %v", banner, err)
		}
		conn.Close()
	}
	_, err := c.DialContext(w.ctx(), "unix", "/nowhere")
	wantError(t, err, KindSession, "web: forward", "/nowhere")
}
