package fleet

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestASwitchIsConfirmedOverANewLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web")
		w.hosts["web"].log = confirmed(time.Minute)
		w.expectExit(w.run(Options{}), ExitOK)
		w.expect("web", Switched, "")
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
		w.expectExit(w.run(Options{}), ExitOK)
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
				w.expectExit(w.run(Options{}), ExitFailed)
				w.expect("web", RolledBack, tt.code)
				if r := w.result("web"); r.Confirmed != "" || r.Step != Confirm || r.Hint == "" || r.Seconds > tt.most {
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
			if verb == "tell" && args["word"] == wordConfirm {
				return "refused old-login"
			}
			return ""
		}
		w.run(Options{})
		w.expect("web", RolledBack, "unconfirmed")
	})
}

func TestAttachGoesOnWithAJobThatWaitsForAWord(t *testing.T) {
	for _, tt := range []struct {
		name      string
		leave     func(Event) bool
		hears     string // before the operator leaves
		away      time.Duration
		confirmed string
	}{
		{"for the go", func(ev Event) bool { return ev.Type == FactLearned && ev.Key == "awaiting" }, "", 20 * time.Hour, "operator"},
		{"during the build", atStep(Build), "", 3 * time.Hour, "operator"},
		{"for the confirmation", atStep(Confirm), "go present", 10 * time.Second, "operator"},
		{"until nobody came", atStep(Activate), "go", time.Hour, "host"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, "web")
				h := w.hosts["web"]
				h.log = confirmed(time.Minute)
				h.deaf = func(word string) bool { return !strings.Contains(tt.hears, word) }
				w.leaveAt(Options{}, tt.leave)
				h.deaf = nil
				time.Sleep(tt.away)
				w.expectExit(w.attach(), ExitOK)
				w.expect("web", Switched, "")
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
		h.deaf = func(word string) bool { return word == wordGo && time.Now().Before(deafUntil) }
		h.life = func(n int) time.Duration { return []time.Duration{15 * time.Second, 0}[min(n, 1)] }
		w.expectExit(w.run(Options{}), ExitOK)
		w.expect("web", Switched, "")
	})
}

func TestDetachLeavesTheDecisionToTheHost(t *testing.T) {
	w := newWorld(t, "web")
	job := w.plan(Options{Detach: true}).job("r", w.host("web"), "")
	if job.Attended || job.Confirm != ConfirmSelf {
		t.Errorf("%+v", job)
	}
}

func TestWhoConfirmsDependsOnWhatIsActivated(t *testing.T) {
	for _, tt := range []struct {
		o    Options
		want string // "" is an error
	}{
		{Options{}, ConfirmOperator},
		{Options{Goal: GoalTest}, ConfirmOperator},
		{Options{Goal: GoalRollback}, ConfirmOperator},
		{Options{Goal: GoalBoot}, ConfirmNone},
		{Options{Goal: GoalBuild}, ConfirmNone},
		{Options{Confirm: ConfirmSelf}, ConfirmSelf},
		{Options{Confirm: ConfirmNone, Detach: true}, ConfirmNone},
		{Options{Confirm: ConfirmOperator, Detach: true}, ""},
		{Options{Confirm: ConfirmOperator, Goal: GoalBoot}, ""},
		{Options{Confirm: "me"}, ""},
		{Options{ConfirmTimeout: 2 * time.Hour}, ""},
	} {
		w := newWorld(t, "web")
		p, err := NewPlan(w.inv, w.inv.Hosts, tt.o, "me@here")
		switch {
		case tt.want == "" && (err == nil || !strings.Contains(err.Error(), "hint: ")):
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
		w.hosts["web"].deaf = func(word string) bool { return word == wordGo }
		w.runWith(t.Context(), Options{}, func(ev Event) {
			if ev.Key == "awaiting" {
				go func() {
					if err := w.another().Cancel(context.WithoutCancel(t.Context()), w.record(), w.inv, func(string, string) {}); err != nil {
						t.Error(err)
					}
				}()
			}
		})
		w.expect("web", Cancelled, "cancelled")
	})
}
