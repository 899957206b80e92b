package engine

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

func TestSwitchRequiresNewLogin(t *testing.T) {
	offline, denied := fakeRefusal{"connection refused", true}, fakeRefusal{"permission denied", false}
	for _, tt := range []struct {
		name    string
		dials   func(n int) error
		log     []logPart
		outcome fleet.Outcome
		logins  int
	}{
		{"accepted", nil, fullLog(switched), fleet.Switched, 2},
		{"accepted after a while", func(n int) error { return errorIf(n > 0 && n < 5, offline) }, fullLog(switched), fleet.Switched, 6},
		{"rejected twice", func(n int) error { return errorIf(n > 0, denied) }, fullLog(switched), fleet.Degraded, 3},
		{"offline", func(n int) error { return errorIf(n > 0, offline) }, fullLog(switched), fleet.Degraded, 34},
		{"no answer", func(n int) error { return errorIf(n > 0, errBlackHole) }, fullLog(switched), fleet.Degraded, 0},
		{"units failed as well", func(n int) error { return errorIf(n > 0, denied) },
			fullLog("degraded units verify units failed: x"), fleet.Degraded, 3},
		{"not activated", func(n int) error { return errorIf(n > 0, denied) }, failLog("build", "build", "x"), fleet.Failed, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fx := newFixture(t, "web")
				h := fx.hosts["web"]
				h.onDial, h.log = tt.dials, tt.log
				fx.run(fleet.Options{})
				r := fx.result("web")
				if r.Outcome != tt.outcome || tt.logins != 0 && (h.logins < tt.logins-2 || h.logins > tt.logins) {
					t.Errorf("%+v after %d logins", r, h.logins)
				}
				if r.Outcome != fleet.Degraded {
					return
				}
				if r.Code != "login" || r.Step != fleet.Verify || !strings.Contains(r.Reason, "new login") ||
					!strings.HasSuffix(fx.trace("web"), "verify generation=42 after="+rev2+" failed degraded") {
					t.Errorf("%+v: %s", r, fx.trace("web"))
				}
				if tt.name == "units failed as well" && !strings.HasSuffix(r.Reason, "; units failed: x") {
					t.Errorf("reason %q", r.Reason)
				}
			})
		})
	}
}

// errorIf returns err if the condition holds.
func errorIf(condition bool, err error) error {
	if condition {
		return err
	}
	return nil
}

func TestNewLoginWaitsForNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "web")
		h := fx.hosts["web"]
		started := time.Now()
		cut := func() bool { s := time.Since(started); return s > 4500*time.Millisecond && s < 3*time.Minute }
		h.onDial = func(int) error { return errorIf(cut(), fakeRefusal{"no route to host", true}) }
		h.cut = func(n int) int {
			if n == 0 {
				return len("motd of web\n@12345678901234567890123456 following nonce-of-web 0\n") + 650
			}
			return -1
		}
		fx.run(fleet.Options{})
		fx.expect("web", fleet.Switched, "")
		if !strings.Contains(fx.trace("web"), "reconnect=lost") {
			t.Errorf("the connection was not cut: %s", fx.trace("web"))
		}
	})
}

func TestHealthProbesRetryUntilUp(t *testing.T) {
	for _, tt := range []struct {
		name    string
		up      time.Duration
		outcome fleet.Outcome
	}{
		{"up immediately", 0, fleet.Switched},
		{"up after a while", 20 * time.Second, fleet.Switched},
		{"never up", time.Hour, fleet.Degraded},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fx := newFixture(t, "web")
				fx.host("web").Health = []inventory.Check{{What: "systemctl is-active x"}, {What: "tcp://127.0.0.1:53"}}
				started := time.Now()
				fx.hosts["web"].dialTCP = func() error { return errorIf(time.Since(started) < tt.up, errors.New("connect failed")) }
				fx.run(fleet.Options{})
				r := fx.result("web")
				if r.Outcome != tt.outcome {
					t.Errorf("%+v", r)
				}
				if r.Outcome == fleet.Degraded && (r.Code != "health" || !strings.Contains(r.Reason, `"tcp://127.0.0.1:53"`)) {
					t.Errorf("%+v", r)
				}
				if got := fx.hosts["web"].launched[0]; got["health"] != "systemctl is-active x" {
					t.Errorf("the job got the check %q", got["health"])
				}
			})
		})
	}
}

// proxyConn connects from this machine as if from the host.
type proxyConn struct{ fakeConn }

func (proxyConn) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

func TestHealthProbesStartFromHostOrOperator(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/ok":
		case "/moved":
			http.Redirect(w, r, "/broken", http.StatusFound)
		default:
			http.Error(w, "no", http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	address := strings.TrimPrefix(server.URL, "http://")
	here := &proxyConn{}
	dead := &fakeConn{host: &fakeHost{dialTCP: func() error { return errors.New("no route from the host") }}}
	for _, tt := range []struct {
		conn  host.Conn
		check inventory.Check
		want  string // in the error
	}{
		{here, inventory.Check{What: server.URL + "/ok"}, ""},
		{here, inventory.Check{What: server.URL + "/broken"}, "the status is 503"},
		{here, inventory.Check{What: server.URL + "/broken", Status: 503}, ""},
		{here, inventory.Check{What: server.URL + "/ok", Status: 204}, "the status is 200 OK, not 204"},
		{here, inventory.Check{What: server.URL + "/moved"}, "the status is 503"},
		{here, inventory.Check{What: server.URL + "/moved", Status: 302}, ""},
		{dead, inventory.Check{What: server.URL + "/ok"}, "no route from the host"},
		{dead, inventory.Check{What: server.URL + "/ok", Operator: true}, ""},
		{dead, inventory.Check{What: "tcp://" + address}, "no route from the host"},
		{dead, inventory.Check{What: "tcp://" + address, Operator: true}, ""},
		{here, inventory.Check{What: "tcp://127.0.0.1:1", Operator: true}, "refused"},
		{dead, inventory.Check{What: "test $FLEETCTL_HOST = web", Operator: true}, ""},
		{dead, inventory.Check{What: "echo no such zone; exit 3", Operator: true}, "exit status 3: no such zone"},
	} {
		p := &prober{host: &inventory.Host{Name: "web"}, conn: tt.conn}
		err := p.probe(t.Context(), tt.check)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: error %v, want %q", tt.check, err, tt.want)
		}
	}
}

func TestOperatorCommandIsRetried(t *testing.T) {
	t.Parallel()
	up := filepath.Join(t.TempDir(), "up")
	web := &inventory.Host{Name: "web", Timeouts: inventory.DefaultTimeouts()}
	for command, fails := range map[string]bool{
		// succeeds at the second attempt
		"test -e " + up + " || { touch " + up + "; exit 1; }": false,
		"test -e /nosuch": true,
	} {
		web.Health = []inventory.Check{{What: "systemctl is-active x"}, {What: command, Operator: true}}
		commands, probes := host.SplitHealth(web.Health)
		if len(commands) != 1 || commands[0] != "systemctl is-active x" {
			t.Errorf("the job gets %q", commands)
		}
		p := &prober{dialer: fakeFleet{"web": {name: "web"}}, host: web, probes: probes}
		problem := startPostChecks(t.Context(), p).wait(1500 * time.Millisecond)
		if (problem != nil) != fails || fails && (problem.code != "health" || !strings.Contains(problem.reason, command)) {
			t.Errorf("%s: %+v", command, problem)
		}
	}
}

func TestBootNeedsNoNewLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "web")
		fx.hosts["web"].log = fullLog("reboot-needed reboot verify at the next boot")
		fx.run(fleet.Options{Goal: fleet.GoalBoot})
		fx.expect("web", fleet.RebootNeeded, "reboot")
		if fx.hosts["web"].logins != 1 {
			t.Errorf("%d logins", fx.hosts["web"].logins)
		}
	})
}
