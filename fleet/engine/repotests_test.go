package engine

import (
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/internal/hint"
)

const (
	first  = "NONCE fact test 10-dns.sh\nNONCE fact exit 0 1\n"
	tested = "NONCE end tested - test all were run\n"
	passes = first + tested
	fails  = first + "NONCE fact test 20-web.sh\nno answer\nNONCE fact exit 7 2\n" + tested
)

func TestTheRepositorysTestsAreAGateForEveryWave(t *testing.T) {
	for _, tt := range []struct {
		name  string
		tests map[string]string
		log   []piece
		want  string
		exit  int
	}{
		{"all succeed", nil, steps(switched), "a switched, b switched", fleet.ExitOK},
		{"one fails in an early wave", map[string]string{"a": fails}, steps(switched), "a degraded, b skipped", fleet.ExitFailed},
		{"one fails in the last wave", map[string]string{"b": fails}, steps(switched), "a switched, b degraded", fleet.ExitFailed},
		{"one fails on hosts that were up to date", map[string]string{"b": fails}, []piece{{0, "NONCE end unchanged - verify already runs\n"}}, "a unchanged, b degraded", fleet.ExitFailed},
		{"they cannot be run", map[string]string{"b": "NONCE end failed no-repo test there is no directory\n"}, steps(switched), "a switched, b degraded", fleet.ExitFailed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, "a", "b")
				w.host("b").Wave = 2
				for name, h := range w.hosts {
					h.log = tt.log
					h.tests = func() string {
						if text := tt.tests[name]; text != "" {
							return text
						}
						return passes
					}
				}
				w.expectExit(w.run(fleet.Options{Test: true}), tt.exit)
				if got := w.outcomes(); got != tt.want {
					t.Errorf("got %s, want %s", got, tt.want)
				}
				for name, text := range tt.tests {
					w.expect(name, fleet.Degraded, "tests")
					if text == fails && (w.result(name).Reason != "tests failed: 20-web.sh" || !strings.Contains(w.lines(name), "out: no answer\nwarn: test 20-web.sh failed with exit status 7")) {
						t.Errorf("%+v\n%s", w.result(name), w.lines(name))
					}
				}
			})
		})
	}
}

func TestNothingIsTestedThatNobodyAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "a", "b")
		w.hosts["a"].tests = func() string { return fails }
		w.hosts["b"].tests = w.hosts["a"].tests
		w.expectExit(w.run(fleet.Options{}), fleet.ExitOK)
		w.hosts["b"].log = broken("build", "build", "x")
		w.engine = w.newEngine(t.TempDir())
		w.events = nil
		w.runWith(t.Context(), fleet.Options{Test: true}, func(ev fleet.Event) {
			if ev.Host == "b" && strings.Contains(ev.Line, "the test") {
				t.Error("a host that was not switched was tested")
			}
		})
		w.expect("b", fleet.Failed, "build")
	})
}

func TestAttachTestsWhatTheRunWasToTest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web")
		w.hosts["web"].tests = func() string { return fails }
		w.leaveAt(fleet.Options{Test: true}, atStep(fleet.Build))
		w.expectExit(w.attach(), fleet.ExitFailed)
		w.expect("web", fleet.Degraded, "tests")
	})
}

func TestAConnectionThatIsLostOverTheTestsSaysNothingOfTheHost(t *testing.T) {
	for _, tt := range []struct {
		name string
		cut  func(session int) int // 0 launches, 1 tests, 2 follows again, 3 tests
		want fleet.Outcome
		runs int
	}{
		{"once", once(1, 60), fleet.Switched, 4},
		{"each time", func(session int) int { return []int{-1, 60}[session%2] }, fleet.Degraded, 8},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, "web")
				h := w.hosts["web"]
				h.tests = func() string { return passes }
				h.cut = tt.cut
				w.run(fleet.Options{Test: true})
				if r := w.result("web"); r.Outcome != tt.want || h.sessions != tt.runs {
					t.Errorf("%+v after %d sessions", r, h.sessions)
				}
			})
		})
	}
}

func TestAttachAsksAHostAgainWhoseTestsNobodyHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web")
		h := w.hosts["web"]
		h.log = []piece{{time.Second, "NONCE end unchanged - verify already runs\n"}}
		h.tests = func() string { return passes }
		away := false
		h.dials = func(int) error {
			if away {
				return fakeRefusal{"no route to host", true}
			}
			return nil
		}
		w.leaveAt(fleet.Options{Test: true}, func(ev fleet.Event) bool { return ev.Type == fleet.StepFinished && ev.Step == fleet.Connect })
		time.Sleep(time.Minute)
		whole := h.job(w.record().Run + ".web").all()
		if err := os.WriteFile(w.record().LogPath("web"), []byte(whole), 0o600); err != nil {
			t.Fatal(err)
		}
		away = true
		w.attach()
		w.expect("web", fleet.Unknown, "lost")
		away = false
		w.attach()
		w.expect("web", fleet.Unchanged, "")
	})
}

func TestAFailedWaveOfTestsIsTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "a")
		w.hosts["a"].tests = func() string { return fails }
		w.hosts["a"].back = steps("switched - verify runs generation 41")
		w.expectExit(w.run(fleet.Options{Test: true, OnFailure: fleet.OnFailureRollback}), fleet.ExitFailed)
		w.expect("a", fleet.RolledBack, "wave")
		if r := w.result("a"); r.Reason != "wave 1 failed: a; tests failed: 20-web.sh" {
			t.Errorf("%+v", r)
		}
	})
}

func TestPlanTestsOnlyWhatRunsAndWhereSomebodyWaits(t *testing.T) {
	for want, o := range map[string]fleet.Options{"leave out --test": {Test: true, Goal: fleet.GoalBoot}, "and --test": {Test: true, Detach: true}} {
		w := newWorld(t, "a")
		if _, err := fleet.NewPlan(w.inv, w.inv.Hosts, o, "me@here"); !strings.Contains(hint.Of(err), want) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
