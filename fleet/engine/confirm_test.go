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

func TestASwitchIsConfirmedOverANewLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web")
		w.hosts["web"].log = confirmed(time.Minute)
		w.expectExit(w.run(fleet.Options{}), fleet.ExitOK)
		w.expect("web", fleet.Switched, "")
		want := "connect ok preflight before=" + rev1 + " ok pull pull=advanced 1 ok build built=/nix/store/x ok awaiting=go activate ok " +
			"verify generation=42 after=" + rev2 + " confirm confirmed=operator ok ok switched"
		if got := w.story("web"); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if r := w.result("web"); r.Confirmed != "operator" || r.Seconds > 10 {
			t.Errorf("%+v", r)
		}
		told := w.hosts["web"].told
		slices.Sort(told)
		if got := strings.Join(told, " "); got != "confirm go" {
			t.Errorf("it was told %q", got)
		}
		args := w.hosts["web"].launched[0]
		if args["attended"] != "yes" || args["confirm"] != "operator" || args["confirm_seconds"] != "60" {
			t.Errorf("the job was given %v", args)
		}
	})
}

func TestAHostIsToldThatSomebodyIsAtALoginThatTakesLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web")
		h := w.hosts["web"]
		h.log = confirmed(time.Minute)
		h.dials = func(n int) error {
			time.Sleep(5 * time.Second)
			return nil
		}
		w.expectExit(w.run(fleet.Options{}), fleet.ExitOK)
		if got := strings.Join(h.told, " "); got != "go present confirm" {
			t.Errorf("it was told %q", got)
		}
	})
}

func TestAHostThatNobodyCanLogInToGoesBack(t *testing.T) {
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
				w := newWorld(t, "web")
				h := w.hosts["web"]
				h.log = confirmed(time.Minute)
				h.dials = func(n int) error { return when(n > 0, tt.err) }
				w.expectExit(w.run(fleet.Options{}), fleet.ExitFailed)
				w.expect("web", fleet.RolledBack, fleet.Code(tt.code))
				if r := w.result("web"); r.Confirmed != "" || r.Step != fleet.Confirm || r.Hint == "" || r.Seconds > tt.most {
					t.Errorf("%+v", r)
				}
			})
		})
	}
}

func TestAReusedLoginCannotConfirm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web")
		h := w.hosts["web"]
		h.log = confirmed(time.Minute)
		h.says = func(verb string, args arguments) string {
			if verb == "tell" && args["word"] == "confirm" {
				return "refused old-login"
			}
			return ""
		}
		w.run(fleet.Options{})
		w.expect("web", fleet.RolledBack, "unconfirmed")
	})
}

func TestAttachGoesOnWithAJobThatWaitsForAWord(t *testing.T) {
	for _, tt := range []struct {
		name      string
		leave     func(fleet.Event) bool
		hears     string // before the operator leaves
		away      time.Duration
		confirmed string
	}{
		{"for the go", func(ev fleet.Event) bool { return ev.Type == fleet.FactLearned && ev.Key == "awaiting" }, "", 20 * time.Hour, "operator"},
		{"during the build", atStep(fleet.Build), "", 3 * time.Hour, "operator"},
		{"for the confirmation", atStep(fleet.Confirm), "go present", 10 * time.Second, "operator"},
		{"until nobody came", atStep(fleet.Activate), "go", time.Hour, "host"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, "web")
				h := w.hosts["web"]
				h.log = confirmed(time.Minute)
				h.deaf = func(word string) bool { return !strings.Contains(tt.hears, word) }
				w.leaveAt(fleet.Options{}, tt.leave)
				h.deaf = nil
				time.Sleep(tt.away)
				w.expectExit(w.attach(), fleet.ExitOK)
				w.expect("web", fleet.Switched, "")
				if r := w.result("web"); r.Confirmed != tt.confirmed || h.started != 1 {
					t.Errorf("%+v, %d jobs", r, h.started)
				}
				w.expectWholeLog("web")
			})
		})
	}
}

func TestAWordIsSaidAgainWhereTheConnectionWasLostOverIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web")
		h := w.hosts["web"]
		h.log = confirmed(time.Minute)
		deafUntil := time.Now().Add(20 * time.Second)
		h.deaf = func(word string) bool { return word == "go" && time.Now().Before(deafUntil) }
		h.life = func(n int) time.Duration { return []time.Duration{15 * time.Second, 0}[min(n, 1)] }
		w.expectExit(w.run(fleet.Options{}), fleet.ExitOK)
		w.expect("web", fleet.Switched, "")
	})
}

func TestDetachLeavesTheDecisionToTheHost(t *testing.T) {
	w := newWorld(t, "web")
	job := host.Job(w.plan(fleet.Options{Detach: true}), "r", w.host("web"), "")
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
		w := newWorld(t, "web")
		p, err := fleet.NewPlan(w.inv, w.inv.Hosts, tt.o, "me@here")
		switch {
		case tt.want == "" && (err == nil || hint.Of(err) == ""):
			t.Errorf("%+v: error %v", tt.o, err)
		case tt.want != "" && (err != nil || p.Confirm != tt.want):
			t.Errorf("%+v: %v, want %s", tt.o, err, tt.want)
		}
	}
}

func TestCancelEndsAJobThatWaitsForTheGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web")
		w.hosts["web"].log = confirmed(time.Minute)
		w.hosts["web"].deaf = func(word string) bool { return word == "go" }
		w.runWith(t.Context(), fleet.Options{}, func(ev fleet.Event) {
			if ev.Key == "awaiting" {
				go func() {
					if err := w.another().Cancel(context.WithoutCancel(t.Context()), w.record(), w.inv, func(string, string) {}); err != nil {
						t.Error(err)
					}
				}()
			}
		})
		w.expect("web", fleet.Cancelled, "cancelled")
	})
}
