package engine

import (
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
)

// Outputs of repository tests.
const (
	first  = "NONCE fact test 10-dns.sh\nNONCE fact exit 0 1\n"
	tested = "NONCE end tested - test all were run\n"
	passes = first + tested
	fails  = first + "NONCE fact test 20-web.sh\nno answer\nNONCE fact exit 7 2\n" + tested
)

func TestRepositoryTestsGateEveryWave(t *testing.T) {
	for _, tt := range []struct {
		name  string
		tests map[string]string
		log   []logPart
		want  string
		exit  int
	}{
		{"success", nil, fullLog(switched), "a switched, b switched", fleet.ExitOK},
		{"failure in the first wave", map[string]string{"a": fails}, fullLog(switched), "a degraded, b skipped", fleet.ExitFailed},
		{"failure in the last wave", map[string]string{"b": fails}, fullLog(switched), "a switched, b degraded", fleet.ExitFailed},
		{"failure on hosts that were up to date", map[string]string{"b": fails},
			[]logPart{{0, "NONCE end unchanged - verify already runs\n"}}, "a unchanged, b degraded", fleet.ExitFailed},
		{"tests that cannot run", map[string]string{"b": "NONCE end failed no-repo test there is no directory\n"},
			fullLog(switched), "a switched, b degraded", fleet.ExitFailed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fx := newFixture(t, "a", "b")
				fx.host("b").Wave = 2
				for name, h := range fx.hosts {
					h.log = tt.log
					h.testOutput = func() string {
						if text := tt.tests[name]; text != "" {
							return text
						}
						return passes
					}
				}
				fx.expectExit(fx.run(fleet.Options{Test: true}), tt.exit)
				if got := fx.outcomes(); got != tt.want {
					t.Errorf("got %s, want %s", got, tt.want)
				}
				for name, text := range tt.tests {
					fx.expect(name, fleet.Degraded, "tests")
					kept, err := fx.engine.Records.LastTests(fx.inv.Name)
					if last := kept[name]; err != nil || last.Time.IsZero() || last.OK() || (len(last.Failed) > 0) != (text == fails) {
						t.Errorf("kept %+v, %v", last, err)
					}
					if text != fails {
						continue
					}
					const lines = "out: no answer\nwarn: test 20-web.sh failed with exit status 7"
					if fx.result(name).Reason != "tests failed: 20-web.sh" || !strings.Contains(fx.lines(name), lines) {
						t.Errorf("%+v\n%s", fx.result(name), fx.lines(name))
					}
				}
			})
		})
	}
}

func TestRepositoryTestsNeedOption(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "a", "b")
		fx.hosts["a"].testOutput = func() string { return fails }
		fx.hosts["b"].testOutput = fx.hosts["a"].testOutput
		fx.expectExit(fx.run(fleet.Options{}), fleet.ExitOK)
		fx.hosts["b"].log = failLog("build", "build", "x")
		fx.engine = fx.newEngine(t.TempDir())
		fx.events = nil
		fx.runWith(t.Context(), fleet.Options{Test: true}, func(ev fleet.Event) {
			if ev.Host == "b" && strings.Contains(ev.Line, "the test") {
				t.Error("a host that was not switched was tested")
			}
		})
		fx.expect("b", fleet.Failed, "build")
	})
}

func TestAttachRunsRepositoryTests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "web")
		fx.hosts["web"].testOutput = func() string { return fails }
		fx.abandonAt(fleet.Options{Test: true}, stepStarted(fleet.Build))
		fx.expectExit(fx.attach(), fleet.ExitFailed)
		fx.expect("web", fleet.Degraded, "tests")
	})
}

func TestRepositoryTestsAreRetriedAfterLostConnection(t *testing.T) {
	for _, tt := range []struct {
		name     string
		cut      func(session int) int // 0 launches the job, 1 runs tests, 2 attaches, 3 runs tests
		want     fleet.Outcome
		sessions int
	}{
		{"once", cutOnce(1, 60), fleet.Switched, 4},
		{"each time", func(session int) int { return []int{-1, 60}[session%2] }, fleet.Degraded, 8},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fx := newFixture(t, "web")
				h := fx.hosts["web"]
				h.testOutput = func() string { return passes }
				h.cut = tt.cut
				fx.run(fleet.Options{Test: true})
				if r := fx.result("web"); r.Outcome != tt.want || h.sessions != tt.sessions {
					t.Errorf("%+v after %d sessions", r, h.sessions)
				}
			})
		})
	}
}

func TestAttachRetriesHostWithoutTestResults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "web")
		h := fx.hosts["web"]
		h.log = []logPart{{time.Second, "NONCE end unchanged - verify already runs\n"}}
		h.testOutput = func() string { return passes }
		away := false
		h.onDial = func(int) error {
			if away {
				return fakeRefusal{"no route to host", true}
			}
			return nil
		}
		fx.abandonAt(fleet.Options{Test: true}, func(ev fleet.Event) bool {
			return ev.Type == fleet.StepFinished && ev.Step == fleet.Connect
		})
		time.Sleep(time.Minute)
		log := h.job(fx.record().Run + ".web").all()
		if err := os.WriteFile(fx.record().LogPath("web"), []byte(log), 0o600); err != nil {
			t.Fatal(err)
		}
		away = true
		fx.attach()
		fx.expect("web", fleet.Unknown, "lost")
		away = false
		fx.attach()
		fx.expect("web", fleet.Unchanged, "")
	})
}

func TestFailedTestsRollBackWave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "a")
		fx.hosts["a"].testOutput = func() string { return fails }
		fx.hosts["a"].rollbackLog = fullLog("switched - verify runs generation 41")
		fx.expectExit(fx.run(fleet.Options{Test: true, OnFailure: fleet.OnFailureRollback}), fleet.ExitFailed)
		fx.expect("a", fleet.RolledBack, "wave")
		if r := fx.result("a"); r.Reason != "wave 1 failed: a; tests failed: 20-web.sh" {
			t.Errorf("%+v", r)
		}
	})
}
