package engine

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
)

func TestSwitchIsConfirmedOverNewLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "web")
		fx.hosts["web"].log = confirmLog(time.Minute)
		fx.expectExit(fx.run(fleet.Options{}), fleet.ExitOK)
		fx.expect("web", fleet.Switched, "")
		want := "connect ok preflight before=" + rev1 + " ok pull pull=advanced 1 ok build built=/nix/store/x ok awaiting=go activate ok " +
			"verify generation=42 after=" + rev2 + " confirm confirmed=operator ok ok switched"
		if got := fx.trace("web"); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if r := fx.result("web"); r.Confirmed != "operator" || r.Seconds > 10 {
			t.Errorf("%+v", r)
		}
		received := fx.hosts["web"].signals
		slices.Sort(received)
		if got := strings.Join(received, " "); got != "confirm go" {
			t.Errorf("it received %q", got)
		}
		args := fx.hosts["web"].launched[0]
		if args["attended"] != "yes" || args["confirm"] != "operator" || args["confirm_seconds"] != "60" {
			t.Errorf("the job was given %v", args)
		}
	})
}

func TestPresentIsSentDuringSlowLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "web")
		h := fx.hosts["web"]
		h.log = confirmLog(time.Minute)
		h.onDial = func(n int) error {
			time.Sleep(5 * time.Second)
			return nil
		}
		fx.expectExit(fx.run(fleet.Options{}), fleet.ExitOK)
		if got := strings.Join(h.signals, " "); got != "go present confirm" {
			t.Errorf("it received %q", got)
		}
	})
}

func TestHostRollsBackIfLoginFails(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		code string
		most float64
	}{
		{"rejects logins", fakeRefusal{"permission denied", false}, "back", 15},
		{"offline", fakeRefusal{"no route to host", true}, "unconfirmed", 75},
		{"does not answer", errBlackHole, "unconfirmed", 75},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fx := newFixture(t, "web")
				h := fx.hosts["web"]
				h.log = confirmLog(time.Minute)
				h.onDial = func(n int) error { return errorIf(n > 0, tt.err) }
				fx.expectExit(fx.run(fleet.Options{}), fleet.ExitFailed)
				fx.expect("web", fleet.RolledBack, fleet.Code(tt.code))
				if r := fx.result("web"); r.Confirmed != "" || r.Step != fleet.Confirm || r.Hint == "" || r.Seconds > tt.most {
					t.Errorf("%+v", r)
				}
			})
		})
	}
}

func TestOldLoginCannotConfirm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "web")
		h := fx.hosts["web"]
		h.log = confirmLog(time.Minute)
		h.reply = func(verb string, args arguments) string {
			if verb == "signal" && args["word"] == "confirm" {
				return "refused old-login"
			}
			return ""
		}
		fx.run(fleet.Options{})
		fx.expect("web", fleet.RolledBack, "unconfirmed")
	})
}

func TestAttachContinuesJobThatWaitsForSignal(t *testing.T) {
	for _, tt := range []struct {
		name      string
		abandon   func(fleet.Event) bool
		received  string // signals that arrive before the run is abandoned
		away      time.Duration
		confirmed string
	}{
		{"for go", func(ev fleet.Event) bool { return ev.Key == "awaiting" }, "", 20 * time.Hour, "operator"},
		{"during the build", stepStarted(fleet.Build), "", 3 * time.Hour, "operator"},
		{"for confirm", stepStarted(fleet.Confirm), "go present", 10 * time.Second, "operator"},
		{"until the timeout", stepStarted(fleet.Activate), "go", time.Hour, "host"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fx := newFixture(t, "web")
				h := fx.hosts["web"]
				h.log = confirmLog(time.Minute)
				h.ignores = func(word string) bool { return !strings.Contains(tt.received, word) }
				fx.abandonAt(fleet.Options{}, tt.abandon)
				h.ignores = nil
				time.Sleep(tt.away)
				fx.expectExit(fx.attach(), fleet.ExitOK)
				fx.expect("web", fleet.Switched, "")
				if r := fx.result("web"); r.Confirmed != tt.confirmed || h.started != 1 {
					t.Errorf("%+v, %d jobs", r, h.started)
				}
				fx.expectWholeLog("web")
			})
		})
	}
}

func TestSignalIsRepeatedAfterLostConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "web")
		h := fx.hosts["web"]
		h.log = confirmLog(time.Minute)
		ignoreUntil := time.Now().Add(20 * time.Second)
		h.ignores = func(word string) bool { return word == "go" && time.Now().Before(ignoreUntil) }
		h.lifetime = func(n int) time.Duration { return []time.Duration{15 * time.Second, 0}[min(n, 1)] }
		fx.expectExit(fx.run(fleet.Options{}), fleet.ExitOK)
		fx.expect("web", fleet.Switched, "")
	})
}

func TestDetachedJobConfirmsItself(t *testing.T) {
	fx := newFixture(t, "web")
	job := host.NewJob(fx.plan(fleet.Options{Detach: true}), "r", fx.host("web"))
	if job.Attended || job.Confirm != fleet.ConfirmSelf {
		t.Errorf("%+v", job)
	}
}

func TestCancelStopsJobThatWaitsForGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "web")
		fx.hosts["web"].log = confirmLog(time.Minute)
		fx.hosts["web"].ignores = func(word string) bool { return word == "go" }
		fx.runWith(t.Context(), fleet.Options{}, func(ev fleet.Event) {
			if ev.Key == "awaiting" {
				go func() {
					if err := fx.another().Cancel(context.WithoutCancel(t.Context()), fx.record(), fx.inv, func(string, string) {}); err != nil {
						t.Error(err)
					}
				}()
			}
		})
		fx.expect("web", fleet.Cancelled, "cancelled")
	})
}
