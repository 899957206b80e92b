package sshexec

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/internal/sshtest"
)

// configureJumps writes a configuration that reaches web through the hops, in that order.
func (home *testHome) configureJumps(target *sshtest.Server, hops ...*sshtest.Server) Target {
	home.t.Helper()
	config, jump := "", ""
	for i, h := range hops {
		config += fmt.Sprintf("Host hop%d\n  HostName 127.0.0.1\n  Port %d\n", i, h.Port())
		if i > 0 {
			jump += ","
		}
		jump += fmt.Sprintf("hop%d", i)
	}
	home.write("config", "%sHost web*\n  HostName 127.0.0.1\n  Port %d\n  ProxyJump %s\n", config, target.Port(), jump)
	return Target{Name: "web", Timeout: 5 * time.Second}
}

func TestTargetsShareOneBastionConnection(t *testing.T) {
	t.Parallel()
	bastion, target := faultyServer(t, nil), faultyServer(t, nil)
	home := newTestHome(t).trust(bastion, target)
	web := home.configureJumps(target, bastion)
	p := home.pool()
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			target := web
			target.Name = fmt.Sprintf("web%d", i)
			if exit, _, _ := run(t, home.dial(p, target), "exit 6"); exit != 6 {
				t.Error(exit)
			}
		})
	}
	wg.Wait()
	if bastion.Connections() != 1 || bastion.Forwards() != 20 || target.Connections() != 20 {
		t.Errorf("bastion: %d connections, %d forwardings; target: %d connections",
			bastion.Connections(), bastion.Forwards(), target.Connections())
	}
}

func TestProxyJumpChainIsFollowedInOrder(t *testing.T) {
	t.Parallel()
	one, two, target := faultyServer(t, nil), faultyServer(t, nil), faultyServer(t, nil)
	home := newTestHome(t).trust(one, two, target)
	home.dial(home.pool(), home.configureJumps(target, one, two))
	if one.Forwards() != 1 || two.Forwards() != 1 || one.Connections() != 1 {
		t.Errorf("%d and %d forwardings", one.Forwards(), two.Forwards())
	}
}

func TestDialReconnectsLostBastion(t *testing.T) {
	t.Parallel()
	bastion := faultyServer(t, func(nth int) sshtest.Fault {
		if nth == 1 {
			return sshtest.Fault{CutOut: 6000}
		}
		return sshtest.Fault{}
	})
	target := faultyServer(t, nil)
	home := newTestHome(t).trust(bastion, target)
	web := home.configureJumps(target, bastion)
	p := home.pool()
	for range 10 {
		if c, err := p.Dial(home.ctx(), web); err == nil {
			_, _ = c.Run(home.ctx(), Command{Script: "true"})
			c.Close()
		} else {
			wantError(t, err, KindLost)
		}
	}
	home.dial(p, web)
	if bastion.Connections() != 2 {
		t.Errorf("%d connections", bastion.Connections())
	}
}

func TestProxyJumpErrorsNameTheFailedHop(t *testing.T) {
	t.Parallel()
	target := faultyServer(t, nil)
	t.Run("bastion offline", func(t *testing.T) {
		home := newTestHome(t).trust(target)
		home.write("config", "Host hop\n  HostName 127.0.0.1\n  Port %d\nHost web\n  ProxyJump hop\n", closedPort(t))
		_, err := home.pool().Dial(home.ctx(), targetOf(target))
		if e := wantError(t, err, KindJump, "web: connect", "via hop: connect", "refused"); !e.Offline() {
			t.Error("Offline() = false, want true")
		}
	})
	t.Run("unknown bastion key", func(t *testing.T) {
		bastion := faultyServer(t, nil)
		home := newTestHome(t).trust(target)
		web := home.configureJumps(target, bastion)
		_, err := home.pool().Dial(home.ctx(), web)
		if e := wantError(t, err, KindJump, "via hop0: host key", "once: ssh hop0"); e.Offline() {
			t.Error("Offline() = true, want false")
		}
	})
	t.Run("forwarding prohibited", func(t *testing.T) {
		bastion := sshtest.Start(t, sshtest.Config{NoForwarding: true})
		home := newTestHome(t).trust(target, bastion)
		_, err := home.pool().Dial(home.ctx(), home.configureJumps(target, bastion))
		if e := wantError(t, err, KindJump, "AllowTcpForwarding"); e.Offline() {
			t.Error("Offline() = true, want false")
		}
	})
	t.Run("target offline", func(t *testing.T) {
		bastion := faultyServer(t, nil)
		home := newTestHome(t).trust(bastion)
		home.write("config", "Host hop\n  HostName 127.0.0.1\n  Port %d\nHost web\n  ProxyJump hop\n", bastion.Port())
		_, err := home.pool().Dial(home.ctx(), Target{Name: "web", Address: "127.0.0.1", Port: closedPort(t)})
		if e := wantError(t, err, KindRefused, "web: connect", "via hop", "refused"); !e.Offline() {
			t.Error("Offline() = false, want true")
		}
	})
	t.Run("loop", func(t *testing.T) {
		home := newTestHome(t)
		home.write("config", "Host a\n  ProxyJump b\nHost b\n  ProxyJump a\nHost web\n  ProxyJump a\n")
		_, err := home.pool().Dial(home.ctx(), Target{Name: "web"})
		wantError(t, err, KindJump, "loop")
	})
}

func TestCloseDoesNotBlockOnDeadBastion(t *testing.T) {
	t.Parallel()
	bastion, target := faultyServer(t, nil), faultyServer(t, nil)
	home := newTestHome(t).trust(bastion, target)
	web := home.configureJumps(target, bastion)
	p := NewPool(home.Options)
	c, err := p.Dial(home.ctx(), web)
	if err != nil {
		t.Fatal(err)
	}
	bastion.Freeze()
	defer bastion.Thaw()
	start := time.Now()
	c.Close()
	p.Close()
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestParseJump(t *testing.T) {
	t.Parallel()
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

func TestProxyCommandCarriesConnection(t *testing.T) {
	t.Parallel()
	s := faultyServer(t, nil)
	home := newTestHome(t).trust(s)
	home.write("config", "Host web\n  ProxyCommand env %s=%%h:%%p %s\n", envConnectTo, os.Args[0])
	if exit, _, _ := run(t, home.dial(home.pool(), targetOf(s)), "exit 8"); exit != 8 {
		t.Error(exit)
	}
}

func TestProxyCommandFailureShowsStderr(t *testing.T) {
	t.Parallel()
	home := newTestHome(t)
	home.write("config", "Host web\n  ProxyCommand echo no such tunnel >&2; exit 3\n")
	_, err := home.pool().Dial(home.ctx(), Target{Name: "web"})
	wantError(t, err, KindLost, "web: proxy command", "no such tunnel")
}
