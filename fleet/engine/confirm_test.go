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
	"github.com/markus-barta/nixfleet/internal/hint"
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
		told := fx.hosts["web"].signals
		slices.Sort(told)
		if got := strings.Join(told, " "); got != "confirm go" {
			t.Errorf("it was told %q", got)
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
			t.Errorf("it was told %q", got)
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
		{"it turns us away", fakeRefusal{"permission denied", false}, "back", 15},
		{"nothing answers", fakeRefusal{"no route to host", true}, "unconfirmed", 75},
		{"nothing comes back", errBlackHole, "unconfirmed", 75},
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
		leave     func(fleet.Event) bool
		hears     string // before the operator leaves
		away      time.Duration
		confirmed string
	}{
		{"for the go", func(ev fleet.Event) bool { return ev.Type == fleet.FactLearned && ev.Key == "awaiting" }, "", 20 * time.Hour, "operator"},
		{"during the build", stepStarted(fleet.Build), "", 3 * time.Hour, "operator"},
		{"for the confirmation", stepStarted(fleet.Confirm), "go present", 10 * time.Second, "operator"},
		{"until nobody came", stepStarted(fleet.Activate), "go", time.Hour, "host"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fx := newFixture(t, "web")
				h := fx.hosts["web"]
				h.log = confirmLog(time.Minute)
				h.ignores = func(word string) bool { return !strings.Contains(tt.hears, word) }
				fx.abandonAt(fleet.Options{}, tt.leave)
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
		deafUntil := time.Now().Add(20 * time.Second)
		h.ignores = func(word string) bool { return word == "go" && time.Now().Before(deafUntil) }
		h.lifetime = func(n int) time.Duration { return []time.Duration{15 * time.Second, 0}[min(n, 1)] }
		fx.expectExit(fx.run(fleet.Options{}), fleet.ExitOK)
		fx.expect("web", fleet.Switched, "")
	})
}

func TestDetachedJobConfirmsItself(t *testing.T) {
	fx := newFixture(t, "web")
	job := host.NewJob(fx.plan(fleet.Options{Detach: true}), "r", fx.host("web"), "")
	if job.Attended || job.Confirm != fleet.ConfirmSelf {
		t.Errorf("%+v", job)
	}
}

func TestWhoConfirmsDependsOnWhatIsActivated(t *testing.T) {
	for _, tt := range []struct {
		o    fleet.Options
		want string // "" is an error
	}{
		{fleet.Options{}, fleet.ConfirmOperator},
		{fleet.Options{Goal: fleet.GoalTest}, fleet.ConfirmOperator},
		{fleet.Options{Goal: fleet.GoalRollback}, fleet.ConfirmOperator},
		{fleet.Options{Goal: fleet.GoalBoot}, fleet.ConfirmNone},
		{fleet.Options{Goal: fleet.GoalBuild}, fleet.ConfirmNone},
		{fleet.Options{Confirm: fleet.ConfirmSelf}, fleet.ConfirmSelf},
		{fleet.Options{Confirm: fleet.ConfirmNone, Detach: true}, fleet.ConfirmNone},
		{fleet.Options{Confirm: fleet.ConfirmOperator, Detach: true}, ""},
		{fleet.Options{Confirm: fleet.ConfirmOperator, Goal: fleet.GoalBoot}, ""},
		{fleet.Options{Confirm: "me"}, ""},
		{fleet.Options{ConfirmTimeout: 2 * time.Hour}, ""},
	} {
		fx := newFixture(t, "web")
		p, err := fleet.NewPlan(fx.inv, fx.inv.Hosts, tt.o, "me@here")
		switch {
		case tt.want == "" && (err == nil || hint.Of(err) == ""):
			t.Errorf("%+v: error %v", tt.o, err)
		case tt.want != "" && (err != nil || p.Confirm != tt.want):
			t.Errorf("%+v: %v, want %s", tt.o, err, tt.want)
		}
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
