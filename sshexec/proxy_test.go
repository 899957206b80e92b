package sshexec

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/internal/sshtest"
)

// behind writes a configuration in which web is reached by ProxyJump through the hops, in that order.
func (w *testHome) configureJumps(target *sshtest.Server, hops ...*sshtest.Server) Target {
	w.t.Helper()
	config, jump := "", ""
	for i, h := range hops {
		config += fmt.Sprintf("Host hop%d\n  HostName 127.0.0.1\n  Port %d\n", i, h.Port())
		if i > 0 {
			jump += ","
		}
		jump += fmt.Sprintf("hop%d", i)
	}
	w.write("config", "%sHost web*\n  HostName 127.0.0.1\n  Port %d\n  ProxyJump %s\n", config, target.Port(), jump)
	return Target{Name: "web", Timeout: 5 * time.Second}
}

func TestOneConnectionToABastionServesAllBehindIt(t *testing.T) {
	bastion, target := faultyServer(t, nil), faultyServer(t, nil)
	w := newTestHome(t).trust(bastion, target)
	web := w.configureJumps(target, bastion)
	p := w.pool()
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			one := web
			one.Name = fmt.Sprintf("web%d", i)
			if exit, _, _ := run(t, w.dial(p, one), "exit 6"); exit != 6 {
				t.Error(exit)
			}
		})
	}
	wg.Wait()
	if bastion.Connections() != 1 || bastion.Forwards() != 20 || target.Connections() != 20 {
		t.Errorf("%d connections and %d forwardings of the bastion, %d connections of the target",
			bastion.Connections(), bastion.Forwards(), target.Connections())
	}
}

func TestAChainOfBastionsIsGoneThroughInOrder(t *testing.T) {
	one, two, target := faultyServer(t, nil), faultyServer(t, nil), faultyServer(t, nil)
	w := newTestHome(t).trust(one, two, target)
	w.dial(w.pool(), w.configureJumps(target, one, two))
	if one.Forwards() != 1 || two.Forwards() != 1 || one.Connections() != 1 {
		t.Errorf("%d and %d forwardings", one.Forwards(), two.Forwards())
	}
}

func TestABastionThatWasLostIsConnectedToAgain(t *testing.T) {
	bastion := faultyServer(t, func(nth int) sshtest.Fault {
		if nth == 1 {
			return sshtest.Fault{CutOut: 6000}
		}
		return sshtest.Fault{}
	})
	target := faultyServer(t, nil)
	w := newTestHome(t).trust(bastion, target)
	web := w.configureJumps(target, bastion)
	p := w.pool()
	for range 10 {
		if c, err := p.Dial(w.ctx(), web); err == nil {
			_, _ = c.Run(w.ctx(), Command{Script: "true"})
			c.Close()
		} else {
			wantError(t, err, KindLost)
		}
	}
	w.dial(p, web)
	if bastion.Connections() != 2 {
		t.Errorf("%d connections", bastion.Connections())
	}
}

func TestWhatFailsOnTheWayIsNamed(t *testing.T) {
	target := faultyServer(t, nil)
	t.Run("the bastion is away", func(t *testing.T) {
		w := newTestHome(t).trust(target)
		w.write("config", "Host hop\n  HostName 127.0.0.1\n  Port %d\nHost web\n  ProxyJump hop\n", closedPort(t))
		_, err := w.pool().Dial(w.ctx(), targetOf(target))
		if e := wantError(t, err, KindJump, "web: connect", "by way of hop: connect", "refused"); !e.Offline() {
			t.Error("it is offline")
		}
	})
	t.Run("the bastion is not known", func(t *testing.T) {
		bastion := faultyServer(t, nil)
		w := newTestHome(t).trust(target)
		web := w.configureJumps(target, bastion)
		_, err := w.pool().Dial(w.ctx(), web)
		if e := wantError(t, err, KindJump, "by way of hop0: host key", "once: ssh hop0"); e.Offline() {
			t.Error("a person must act")
		}
	})
	t.Run("the bastion does not forward", func(t *testing.T) {
		bastion := sshtest.Start(t, sshtest.Config{NoForwarding: true})
		w := newTestHome(t).trust(target, bastion)
		_, err := w.pool().Dial(w.ctx(), w.configureJumps(target, bastion))
		if e := wantError(t, err, KindJump, "AllowTcpForwarding"); e.Offline() {
			t.Error("a person must act")
		}
	})
	t.Run("the target is away", func(t *testing.T) {
		bastion := faultyServer(t, nil)
		w := newTestHome(t).trust(bastion)
		w.write("config", "Host hop\n  HostName 127.0.0.1\n  Port %d\nHost web\n  ProxyJump hop\n", bastion.Port())
		_, err := w.pool().Dial(w.ctx(), Target{Name: "web", Address: "127.0.0.1", Port: closedPort(t)})
		if e := wantError(t, err, KindRefused, "web: connect", "by way of hop", "refused"); !e.Offline() {
			t.Error("it is offline")
		}
	})
	t.Run("it goes round in a circle", func(t *testing.T) {
		w := newTestHome(t)
		w.write("config", "Host a\n  ProxyJump b\nHost b\n  ProxyJump a\nHost web\n  ProxyJump a\n")
		_, err := w.pool().Dial(w.ctx(), Target{Name: "web"})
		wantError(t, err, KindJump, "circle")
	})
}

func TestADeadBastionDoesNotHoldUpWhoLeaves(t *testing.T) {
	t.Parallel()
	bastion, target := faultyServer(t, nil), faultyServer(t, nil)
	w := newTestHome(t).trust(bastion, target)
	web := w.configureJumps(target, bastion)
	p := NewPool(w.Options)
	c, err := p.Dial(w.ctx(), web)
	if err != nil {
		t.Fatal(err)
	}
	bastion.Freeze()
	defer bastion.Thaw()
	begun := time.Now()
	c.Close()
	p.Close()
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestProxyJumpIsRead(t *testing.T) {
	for jump, want := range map[string]hop{
		"h":            {name: "h"},
		"u@h:23":       {name: "h", user: "u", port: 23},
		"ssh://u@h:23": {name: "h", user: "u", port: 23},
		"u@d@h":        {name: "h", user: "u@d"},
		"[::1]:23":     {name: "::1", port: 23},
		"[::1]":        {name: "::1"},
		"::1":          {name: "::1"},
		"a,b@c:1,d":    {name: "d", rest: "a,b@c:1"},
	} {
		if got, err := parseJump(jump); err != nil || got != want {
			t.Errorf("%q: %+v, %v", jump, got, err)
		}
	}
	for _, jump := range []string{"", "u@", "h:0", "h:x", "h:70000", "-h", "a,"} {
		if got, err := parseJump(jump); err == nil {
			t.Errorf("%q: %+v", jump, got)
		}
	}
}

func TestAProxyCommandIsTheConnection(t *testing.T) {
	s := faultyServer(t, nil)
	w := newTestHome(t).trust(s)
	w.write("config", "Host web\n  ProxyCommand env %s=%%h:%%p %s\n", envConnectTo, os.Args[0])
	if exit, _, _ := run(t, w.dial(w.pool(), targetOf(s)), "exit 8"); exit != 8 {
		t.Error(exit)
	}
}

func TestAProxyCommandThatEndsIsSaidToHaveFailed(t *testing.T) {
	w := newTestHome(t)
	w.write("config", "Host web\n  ProxyCommand echo no such tunnel >&2; exit 3\n")
	_, err := w.pool().Dial(w.ctx(), Target{Name: "web"})
	wantError(t, err, KindLost, "web: proxy command", "no such tunnel")
}
