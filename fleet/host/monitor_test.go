package host

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// watched is a host under a monitor.
type watched struct {
	mu      sync.Mutex
	refuse  error                            // error of a login; nil accepts it
	lose    bool                             // lose the connection at the next probe
	agent   func() (status int, body string) // response of the agent
	version string                           // response of the agent to a request for its version
	failed  string                           // a failed unit
	counts
}

// counts are what the monitor did on a host.
type counts struct{ logins, probes, open int }

func (h *watched) now() counts {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.counts
}

func (h *watched) set(change func(h *watched)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change(h)
}

func (h *watched) Dial(context.Context, *inventory.Host) (Conn, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.logins++
	if h.refuse != nil {
		return nil, h.refuse
	}
	h.open++
	return &watchedConn{host: h}, nil
}

const watchedRevision = "1111111111111111111111111111111111111111"

// watchedRefusal is a [Refusal].
type watchedRefusal struct {
	text    string
	offline bool
}

func (e watchedRefusal) Error() string { return e.text }

func (e watchedRefusal) Offline() bool { return e.offline }

func (e watchedRefusal) Hint() string { return "" }

type watchedConn struct{ host *watched }

func (c *watchedConn) Run(_ context.Context, cmd Command) (int, error) {
	h := c.host
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.lose {
		h.lose = false
		return 0, errors.New("connection reset")
	}
	h.probes++
	_, token, _ := strings.Cut(cmd.Args[0], "=")
	fmt.Fprintf(cmd.Stdout, "welcome\n@%s probed\nkind nixos\nhost web\ntime %d\nuptime %d\nrevision %s\n",
		token, time.Now().Unix(), h.probes, watchedRevision)
	fmt.Fprintf(cmd.Stdout, "deployed /nix/store/a\ncheckout %s\nticks %d 0 0 %d\n",
		watchedRevision, 25*h.probes, 75*h.probes)
	if h.failed != "" {
		fmt.Fprintln(cmd.Stdout, "failed", h.failed)
	}
	if h.agent != nil {
		fmt.Fprintln(cmd.Stdout, "agent /run/agent.sock")
	}
	fmt.Fprintf(cmd.Stdout, "@%s end\n", token)
	return 0, nil
}

func (c *watchedConn) DialContext(_ context.Context, network, address string) (net.Conn, error) {
	if network != "unix" || address != "/run/agent.sock" {
		return nil, fmt.Errorf("no such socket: %s", address)
	}
	here, there := net.Pipe()
	status, body := c.host.agent()
	go func() {
		defer there.Close()
		request, err := http.ReadRequest(bufio.NewReader(there))
		if err != nil {
			return
		}
		if request.URL.Path == "/v1/version" && c.host.version != "" {
			status, body = http.StatusOK, c.host.version
		}
		kind := "text/plain"
		if status == http.StatusOK {
			kind = "application/json"
		}
		const head = "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
		fmt.Fprintf(there, head, status, http.StatusText(status), kind, len(body))
		io.WriteString(there, body)
	}()
	return here, nil
}

func (c *watchedConn) Close() error {
	c.host.set(func(h *watched) { h.open-- })
	return nil
}

// seen collects what a monitor reports.
type seen struct {
	mu  sync.Mutex
	all []Status
}

func (s *seen) add(status Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, status)
}

func (s *seen) last(t *testing.T) Status {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.all) == 0 {
		t.Fatal("nothing was reported")
	}
	return s.all[len(s.all)-1]
}

func (s *seen) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all)
}

// watchOne runs a test with a monitor that polls one host every ten seconds of fake time.
func watchOne(t *testing.T, h *watched, test func(t *testing.T, m *Monitor, s *seen)) {
	synctest.Test(t, func(t *testing.T) {
		web := &inventory.Host{Name: "web", Kind: inventory.NixOS, Repo: "~/cfg", Timeouts: inventory.DefaultTimeouts()}
		s := &seen{}
		c := &Client{Dialer: h, Inventory: &inventory.Inventory{}}
		m := c.Monitor([]*inventory.Host{web}, 10*time.Second, s.add)
		synctest.Wait()
		test(t, m, s)
		m.Close()
		if n := h.now().open; n != 0 {
			t.Errorf("%d connections are open after Close", n)
		}
	})
}

// pass advances the fake time and waits until everything due has happened.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestMonitorReusesConnection(t *testing.T) {
	h := &watched{}
	watchOne(t, h, func(t *testing.T, m *Monitor, s *seen) {
		pass(time.Minute)
		if h.now().logins != 1 || h.now().probes < 5 || h.now().probes > 9 || s.count() != h.now().probes {
			t.Errorf("%d logins, %d probes, %d reports", h.now().logins, h.now().probes, s.count())
		}
		last := s.last(t)
		if !last.Reachable || last.Err != nil || last.Health.Uptime != float64(h.now().probes) {
			t.Errorf("%+v", last)
		}
		if last.Health.CPU == nil || *last.Health.CPU != 25 {
			t.Errorf("busy %v", last.Health.CPU)
		}
	})
}

func TestMonitorReconnects(t *testing.T) {
	h := &watched{}
	watchOne(t, h, func(t *testing.T, m *Monitor, s *seen) {
		h.set(func(h *watched) { h.lose = true })
		pass(15 * time.Second)
		if last := s.last(t); h.now().logins != 2 || last.Err != nil || last.Health.Uptime < 2 {
			t.Errorf("%d logins, %+v", h.now().logins, last)
		}
	})
}

func TestMonitorBacksOffFromOfflineHost(t *testing.T) {
	h := &watched{}
	watchOne(t, h, func(t *testing.T, m *Monitor, s *seen) {
		h.set(func(h *watched) { h.refuse, h.lose = watchedRefusal{"no route to host", true}, true })
		pass(15 * time.Second)
		last := s.last(t)
		if last.Reachable || last.Err == nil || last.Health == nil || last.Health.Uptime != 1 {
			t.Errorf("want the last known facts: %+v", last)
		}
		before := h.now().logins
		pass(time.Hour)
		if n := h.now().logins - before; n < 10 || n > 30 {
			t.Errorf("%d logins in an hour", n)
		}
		h.set(func(h *watched) { h.refuse = nil })
		m.Refresh("web")
		synctest.Wait()
		if last := s.last(t); !last.Reachable || last.Err != nil {
			t.Errorf("after a refresh: %+v", last)
		}
	})
}

func TestMonitorRarelyRetriesRejectedLogin(t *testing.T) {
	// OpenSSH locks out an address after too many failed logins.
	h := &watched{refuse: watchedRefusal{"permission denied", false}}
	watchOne(t, h, func(t *testing.T, m *Monitor, s *seen) {
		pass(10 * time.Minute)
		if h.now().logins > 3 {
			t.Errorf("%d logins in ten minutes", h.now().logins)
		}
	})
}

func TestPausedMonitorAsksNoHost(t *testing.T) {
	h := &watched{}
	watchOne(t, h, func(t *testing.T, m *Monitor, s *seen) {
		m.Pause()
		m.Refresh("web")
		pass(time.Hour)
		if h.now().probes != 1 || h.now().open != 1 {
			t.Errorf("%d probes, %d connections", h.now().probes, h.now().open)
		}
		m.Resume()
		synctest.Wait()
		if h.now().probes != 2 {
			t.Errorf("%d probes after Resume", h.now().probes)
		}
	})
}

// agentHealth returns the response of an agent.
func agentHealth(change func(h *health.Health)) func() (int, string) {
	return func() (int, string) {
		h := health.Health{Time: time.Now(), Kind: "nixos", Agent: "1.2", System: health.System{Deployed: "/nix/store/a"}}
		change(&h)
		text, err := json.Marshal(h)
		if err != nil {
			panic(err)
		}
		return http.StatusOK, string(text)
	}
}

func TestStatusCombinesAgentAndProbe(t *testing.T) {
	h := &watched{agent: agentHealth(func(h *health.Health) { h.OS = "Nix\x1b[31mOS\u202e" })}
	watchOne(t, h, func(t *testing.T, m *Monitor, s *seen) {
		pass(50 * time.Second)
		if h.now().probes != 1 || s.count() < 4 {
			t.Errorf("%d probes, %d reports", h.now().probes, s.count())
		}
		last := s.last(t).Health
		if last.Agent != "1.2" || last.OS != "NixOS" || last.Checkout == nil || last.System.Revision != watchedRevision {
			t.Errorf("%+v", last)
		}
		if age := last.Time.Sub(last.Taken["checkout"]); age < 30*time.Second {
			t.Errorf("the age of the checkout is %v", age)
		}
		m.Refresh("web")
		synctest.Wait()
		if h.now().probes != 2 {
			t.Errorf("%d probes after a refresh", h.now().probes)
		}
	})
}

func TestAgentOfMachineDoesNotReplaceHome(t *testing.T) {
	h := &watched{agent: agentHealth(func(h *health.Health) {
		h.Kind, h.System.Deployed, h.FailedUnits = "darwin", "/nix/store/other", []string{"x"}
	})}
	watchOne(t, h, func(t *testing.T, m *Monitor, s *seen) {
		if last := s.last(t).Health; last.Kind != "nixos" || last.System.Deployed != "/nix/store/a" || len(last.FailedUnits) > 0 {
			t.Errorf("%+v", last)
		}
	})
}

func TestProbeReportsFailedUnitsIfAgentCannot(t *testing.T) {
	h := &watched{agent: agentHealth(func(h *health.Health) { h.NoUnits = "the bus hung up" }), failed: "broken.service"}
	watchOne(t, h, func(t *testing.T, m *Monitor, s *seen) {
		last := s.last(t).Health
		if last.Agent != "1.2" || !slices.Equal(last.FailedUnits, []string{"broken.service"}) ||
			last.NoUnits != "" || last.Taken["failed_units"].IsZero() {
			t.Errorf("%+v", last)
		}
	})
}

func TestProbeReplacesAgentOfOtherVersion(t *testing.T) {
	h := &watched{agent: func() (int, string) { return http.StatusNotFound, "no such page" }, version: `{"agent":"9.0\u001b[31m","api":9}`}
	watchOne(t, h, func(t *testing.T, m *Monitor, s *seen) {
		last := s.last(t)
		if last.Err != nil || last.Health.Uptime != 1 || last.Health.Agent != "" {
			t.Errorf("%+v", last)
		}
		if last.OtherAgent == nil || last.OtherAgent.Agent != "9.0" {
			t.Errorf("%+v", last.OtherAgent)
		}
		h.set(func(h *watched) { h.agent = nil })
		pass(time.Minute)
		if other := s.last(t).OtherAgent; other != nil {
			t.Errorf("still reported after it is gone: %+v", other)
		}
	})
}

func TestProbeReplacesFailedAgent(t *testing.T) {
	for name, agent := range map[string]func() (int, string){
		"error status":     func() (int, string) { return http.StatusInternalServerError, "oh" },
		"invalid JSON":     func() (int, string) { return http.StatusOK, "{" },
		"endless response": func() (int, string) { return http.StatusOK, `{"os":"` + strings.Repeat("x", 1<<20) + `"}` },
	} {
		t.Run(name, func(t *testing.T) {
			h := &watched{agent: agent}
			watchOne(t, h, func(t *testing.T, m *Monitor, s *seen) {
				if last := s.last(t); last.Err != nil || last.Health.Uptime != 1 || last.Health.Agent != "" {
					t.Errorf("%+v", last)
				}
				pass(time.Minute)
				if h.now().probes < 5 {
					t.Errorf("%d probes in a minute", h.now().probes)
				}
			})
		})
	}
}

func TestMonitorKeepsFactsOfOfflineHost(t *testing.T) {
	h := &watched{}
	watchOne(t, h, func(t *testing.T, m *Monitor, s *seen) {
		first := s.last(t)
		if first.FactsTime.IsZero() || !first.FactsTime.Equal(first.CheckoutTime) || first.FactsTime.Before(first.Time) {
			t.Errorf("asked at %v, facts of %v, checkout of %v", first.Time, first.FactsTime, first.CheckoutTime)
		}
		h.set(func(h *watched) { h.refuse, h.lose = watchedRefusal{"no route to host", true}, true })
		pass(15 * time.Second)
		if last := s.last(t); !last.FactsTime.Equal(first.FactsTime) || !last.Time.After(first.Time) {
			t.Errorf("asked at %v, facts of %v, which were of %v", last.Time, last.FactsTime, first.FactsTime)
		}
	})
}
