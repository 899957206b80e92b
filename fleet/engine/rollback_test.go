package engine

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
)

// rollbackFixture returns a fixture with two waves, of which the first fails after its host a has
// switched.
func rollbackFixture(t *testing.T) *fixture {
	fx := newFixture(t, "a", "bad", "same", "next")
	fx.host("next").Wave = 2
	fx.hosts["bad"].log = append([]logPart{{20 * time.Second, ""}}, failLog("build", "build", "x")...)
	fx.hosts["same"].log = []logPart{{0, "NONCE end unchanged - verify already runs\n"}}
	fx.hosts["a"].rollbackLog = fullLog("switched - verify runs generation 41")
	return fx
}

func TestFailedWaveIsRolledBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := rollbackFixture(t)
		fx.expectExit(fx.run(fleet.Options{OnFailure: fleet.OnFailureRollback}), fleet.ExitFailed)
		if got := fx.outcomes(); got != "a rolled-back, bad failed, same unchanged, next skipped" {
			t.Errorf("got %s", got)
		}
		if r := fx.result("a"); r.Code != "wave" || r.Reason != "wave 1 failed: bad" {
			t.Errorf("%+v", r)
		}
		launched := fx.hosts["a"].launched
		if len(launched) != 2 || launched[1]["goal"] != "rollback" || launched[1]["to"] != "0" || launched[1]["rev"] != "" {
			t.Errorf("a got %v", launched)
		}
		if fx.hosts["same"].started != 1 {
			t.Error("a host that had not changed was rolled back")
		}
		back, err := fx.engine.Records.Open(fx.state().Rollback)
		if err != nil {
			t.Fatal(err)
		}
		s, err := back.State()
		if err != nil || !s.Settled() || s.Start.Goal != fleet.GoalRollback {
			t.Fatalf("record of the rollback: %+v, %v", s, err)
		}
		if r := s.Host("a").Result; r.Outcome != fleet.Switched {
			t.Errorf("%+v", r)
		}
	})
}

// TestRolledBackWaveReturnsToSpecialisation has a host that ran another specialisation than the one
// of the inventory.
func TestRolledBackWaveReturnsToSpecialisation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := rollbackFixture(t)
		fx.host("a").Specialisation = "office"
		fx.hosts["a"].log[0].text += "NONCE fact specialisation gaming\n"
		fx.run(fleet.Options{OnFailure: fleet.OnFailureRollback})
		launched := fx.hosts["a"].launched
		if len(launched) != 2 || launched[0]["specialisation"] != "office" || launched[1]["specialisation"] != "gaming" {
			t.Errorf("a got %v", launched)
		}
	})
}

func TestFailedRollbackIsDegraded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := rollbackFixture(t)
		fx.hosts["a"].rollbackLog = failLog("activate", "no-generation", "there is none before")
		fx.run(fleet.Options{OnFailure: fleet.OnFailureRollback})
		fx.expect("a", fleet.Degraded, "rollback")
	})
}

func TestCancelCancelsRollback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := rollbackFixture(t)
		var cancelling sync.WaitGroup
		var answers []string
		finished := 0
		fx.expectExit(fx.runWith(t.Context(), fleet.Options{OnFailure: fleet.OnFailureRollback}, func(ev fleet.Event) {
			if ev.Type == fleet.HostFinished {
				finished++
			}
			if finished == 3 && ev.Type == fleet.StepStarted && ev.Step == fleet.Build {
				cancelling.Go(func() {
					err := fx.another().Cancel(t.Context(), fx.record(), fx.inv, func(host, answer string) {
						answers = append(answers, host+" "+answer)
					})
					if err != nil {
						t.Error(err)
					}
				})
			}
		}), fleet.ExitFailed)
		cancelling.Wait()
		if !slices.Equal(answers, []string{"next not started, and will not be", "a cancelled"}) {
			t.Errorf("answers %q", answers)
		}
		fx.expect("a", fleet.Degraded, "rollback")
		err := fx.another().Cancel(t.Context(), fx.record(), fx.inv, func(string, string) {})
		if err == nil || !strings.Contains(err.Error(), "has finished") {
			t.Errorf("error %v", err)
		}
	})
}

func TestAttachSettlesAbandonedRollback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := rollbackFixture(t)
		finished := 0
		fx.abandonAt(fleet.Options{OnFailure: fleet.OnFailureRollback}, func(ev fleet.Event) bool {
			if ev.Type == fleet.HostFinished {
				finished++
			}
			return finished == 3 && ev.Type == fleet.StepStarted && ev.Step == fleet.Build
		})
		time.Sleep(time.Minute)
		fx.attach() // to the run itself, although its rollback is newer
		fx.expect("a", fleet.RolledBack, "wave")
		outer := fx.record()
		if s, _ := outer.State(); !s.Settled() || s.Summary == nil || s.Summary.Counts[fleet.RolledBack] != 1 {
			t.Errorf("on record: %+v", s.Summary)
		}
	})
}

// rollbacks returns how many rollbacks were started on a host.
func (fx *fixture) rollbacks(host string) int {
	n := 0
	for _, args := range fx.hosts[host].launched {
		if args["goal"] == fleet.GoalRollback {
			n++
		}
	}
	return n
}

func TestAttachStartsRollback(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    fleet.Options
		when func(fleet.Event) bool
		want string
	}{
		{"abandoned before the wave failed", fleet.Options{OnFailure: fleet.OnFailureRollback}, hostFinished("a"),
			"a rolled-back, bad failed, same unchanged, next skipped"},
		{"abandoned as the wave failed", fleet.Options{OnFailure: fleet.OnFailureRollback}, hostFinished("bad"),
			"a rolled-back, bad failed, same unchanged, next skipped"},
		{"over the failure budget", fleet.Options{OnFailure: fleet.OnFailureRollback, MaxFailures: share("0")}, hostFinished("bad"),
			"a rolled-back, bad failed, same unchanged, next skipped"},
		{"halt only", fleet.Options{}, hostFinished("a"),
			"a switched, bad failed, same unchanged, next skipped"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fx := rollbackFixture(t)
				fx.abandonAt(tt.o, tt.when)
				time.Sleep(time.Minute)
				fx.attach()
				if got := fx.outcomes(); got != tt.want {
					t.Errorf("got %s, want %s", got, tt.want)
				}
				if n := fx.rollbacks("a"); (n == 1) != strings.Contains(tt.want, "rolled-back") || n > 1 || fx.rollbacks("same") > 0 {
					t.Errorf("%d rollbacks of a, %d of same", n, fx.rollbacks("same"))
				}
				if s, _ := fx.record().State(); !s.Settled() || s.Summary == nil {
					t.Errorf("on record: %+v", s.Summary)
				}
				fx.attach()
				if n := fx.rollbacks("a"); n > 1 {
					t.Error("the second attach started another rollback")
				}
			})
		})
	}
}

func TestAttachRollsBackOnlyFailedWave(t *testing.T) {
	// The failure budget of the whole run is exceeded, which must not affect earlier
	// waves.
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "first", "a", "bad")
		fx.host("a").Wave, fx.host("bad").Wave = 2, 2
		fx.hosts["bad"].log = append([]logPart{{20 * time.Second, ""}}, failLog("build", "build", "x")...)
		for _, name := range []string{"first", "a"} {
			fx.hosts[name].rollbackLog = fullLog("switched - verify runs generation 41")
		}
		fx.abandonAt(fleet.Options{OnFailure: fleet.OnFailureRollback, MaxFailures: share("0")}, hostFinished("bad"))
		time.Sleep(time.Minute)
		fx.attach()
		if got := fx.outcomes(); got != "first switched, a rolled-back, bad failed" {
			t.Errorf("got %s", got)
		}
	})
}

func TestAttachStartsHostsOfAbandonedRollback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := rollbackFixture(t)
		fx.hosts["a"].onDial = func(int) error {
			time.Sleep(time.Second)
			return nil
		}
		fx.abandonAt(fleet.Options{OnFailure: fleet.OnFailureRollback}, func(ev fleet.Event) bool {
			return ev.Key == fleet.FactRollback
		})
		if n := fx.rollbacks("a"); n > 0 {
			t.Fatalf("%d rollbacks of a", n)
		}
		fx.attach()
		fx.expect("a", fleet.RolledBack, "wave")
		if n := fx.rollbacks("a"); n != 1 {
			t.Errorf("%d rollbacks of a", n)
		}
	})
}

func TestOutcomesAfterRollback(t *testing.T) {
	s := &scheduler{run: &run{policy: newPolicy(&fleet.Start{})}}
	for outcome, want := range map[fleet.Outcome]fleet.Outcome{
		fleet.Switched: fleet.RolledBack, fleet.Unchanged: fleet.RolledBack,
		fleet.Skipped: fleet.Degraded, fleet.Unreachable: fleet.Degraded, fleet.Unknown: fleet.Unknown,
	} {
		if got := s.rolledBack(nil, fleet.Result{Outcome: outcome}).Outcome; got != want {
			t.Errorf("%s becomes %s, want %s", outcome, got, want)
		}
	}
}

func TestLateHostFailsItsOwnWave(t *testing.T) {
	// The last host of a wave comes online while the next wave runs.
	slow := append([]logPart{{20 * time.Second, ""}}, fullLog(switched)...)
	for _, tt := range []struct {
		name string
		o    fleet.Options
		late []logPart // of the late host
		bad  []logPart // of another host in its wave
		want string
	}{
		{"fails while the next wave runs", fleet.Options{MaxWaveFailures: share("0")}, failLog("build", "build", "x"), fullLog(switched),
			"a rolled-back, late failed, next switched"},
		{"switches after its wave failed", fleet.Options{}, slow, append([]logPart{{21 * time.Second, ""}}, failLog("build", "build", "x")...),
			"a failed, late rolled-back, next skipped"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fx := newFixture(t, "a", "late", "next")
				fx.host("next").Wave = 2
				fx.hosts["a"].log, fx.hosts["late"].log = tt.bad, tt.late
				fx.hosts["next"].log = slow
				for _, h := range fx.hosts {
					h.rollbackLog = fullLog("switched - verify runs generation 41")
				}
				started := time.Now()
				fx.hosts["late"].onDial = func(int) error {
					return errorIf(time.Since(started) < 10*time.Second, fakeRefusal{"no route to host", true})
				}
				tt.o.WaitOnline, tt.o.OnFailure = time.Hour, fleet.OnFailureRollback
				fx.run(tt.o)
				if got := fx.outcomes(); got != tt.want {
					t.Errorf("got %s, want %s", got, tt.want)
				}
			})
		})
	}
}

func TestRollbackIsFoundAfterClockSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := rollbackFixture(t)
		var back atomic.Bool
		fx.engine.Now = func() time.Time {
			if back.Load() {
				return time.Now().Add(-time.Hour)
			}
			return time.Now()
		}
		started := false
		fx.abandonAt(fleet.Options{OnFailure: fleet.OnFailureRollback}, func(ev fleet.Event) bool {
			if ev.Type == fleet.HostFinished && ev.Host == "a" {
				back.Store(true)
			}
			started = started || ev.Key == fleet.FactRollback
			return started && ev.Type == fleet.StepStarted && ev.Step == fleet.Build
		})
		back.Store(false)
		fx.attach()
		fx.expect("a", fleet.RolledBack, "wave")
		if n := fx.rollbacks("a"); n != 1 {
			t.Errorf("%d rollbacks of a", n)
		}
	})
}

func TestAttachStopsHostsOfRolledBackWave(t *testing.T) {
	// If the host continued, it would be the only one of its wave on the new configuration.
	synctest.Test(t, func(t *testing.T) {
		fx := rollbackFixture(t)
		same := fx.hosts["same"]
		same.log = confirmLog(time.Minute)
		lost := false
		same.lifetime = func(session int) time.Duration { return 3 * time.Second }
		same.onDial = func(n int) error { return errorIf(n > 0 && !lost, fakeRefusal{"no route to host", true}) }
		fx.abandonAt(fleet.Options{OnFailure: fleet.OnFailureRollback}, func(ev fleet.Event) bool {
			return ev.Key == fleet.FactRollback
		})
		lost = true
		fx.attach()
		if got := fx.outcomes(); got != "a rolled-back, bad failed, same skipped, next skipped" {
			t.Errorf("got %s", got)
		}
	})
}

func TestBuildFirstStopsAllWavesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "a", "b", "bad")
		fx.host("b").Wave, fx.host("bad").Wave = 2, 2
		fx.hosts["a"].log, fx.hosts["b"].log = confirmLog(time.Minute), confirmLog(time.Minute)
		fx.hosts["bad"].log = failLog("build", "build", "x")
		fx.run(fleet.Options{BuildFirst: true, MaxWaveFailures: share("0"), OnFailure: fleet.OnFailureRollback})
		if got := fx.outcomes(); got != "a skipped, b skipped, bad failed" {
			t.Errorf("got %s", got)
		}
	})
}
