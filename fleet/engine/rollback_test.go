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

// takesBack is a world of two waves, the first of which fails once a of it is switched.
func takesBack(t *testing.T) *world {
	w := newWorld(t, "a", "bad", "same", "next")
	w.host("next").Wave = 2
	w.hosts["bad"].log = append([]piece{{20 * time.Second, ""}}, broken("build", "build", "x")...)
	w.hosts["same"].log = []piece{{0, "NONCE end unchanged - verify already runs\n"}}
	w.hosts["a"].back = steps("switched - verify runs generation 41")
	return w
}

func TestAFailedWaveIsTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := takesBack(t)
		w.expectExit(w.run(fleet.Options{OnFailure: fleet.OnFailureRollback}), fleet.ExitFailed)
		if got := w.outcomes(); got != "a rolled-back, bad failed, same unchanged, next skipped" {
			t.Errorf("got %s", got)
		}
		if r := w.result("a"); r.Code != "wave" || r.Reason != "wave 1 failed: bad" {
			t.Errorf("%+v", r)
		}
		launched := w.hosts["a"].launched
		if len(launched) != 2 || launched[1]["goal"] != "rollback" || launched[1]["to"] != "0" || launched[1]["rev"] != "" {
			t.Errorf("a was given %v", launched)
		}
		if w.hosts["same"].started != 1 {
			t.Error("a host that had not changed was rolled back")
		}
		back, err := w.engine.Records.Open(w.state().Rollback)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := back.State(); err != nil || !s.Settled() || s.Start.Goal != fleet.GoalRollback || s.Host("a").Result.Outcome != fleet.Switched {
			t.Errorf("the rollback's own record: %+v, %v", s, err)
		}
	})
}

func TestAHostThatCannotBeTakenBackIsDegraded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := takesBack(t)
		w.hosts["a"].back = broken("activate", "no-generation", "there is none before")
		w.run(fleet.Options{OnFailure: fleet.OnFailureRollback})
		w.expect("a", fleet.Degraded, "rollback")
	})
}

func TestARollbackIsCancelledByTheRunThatItIsAPartOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := takesBack(t)
		var cancelling sync.WaitGroup
		var answers []string
		finished := 0
		w.expectExit(w.runWith(t.Context(), fleet.Options{OnFailure: fleet.OnFailureRollback}, func(ev fleet.Event) {
			if ev.Type == fleet.HostFinished {
				finished++
			}
			if finished == 3 && ev.Type == fleet.StepStarted && ev.Step == fleet.Build {
				cancelling.Go(func() {
					if err := w.another().Cancel(t.Context(), w.record(), w.inv, func(host, answer string) { answers = append(answers, host+" "+answer) }); err != nil {
						t.Error(err)
					}
				})
			}
		}), fleet.ExitFailed)
		cancelling.Wait()
		if !slices.Equal(answers, []string{"next not started, and will not be", "a cancelled"}) {
			t.Errorf("answers %q", answers)
		}
		w.expect("a", fleet.Degraded, "rollback")
		if err := w.another().Cancel(t.Context(), w.record(), w.inv, func(string, string) {}); err == nil || !strings.Contains(err.Error(), "has finished") {
			t.Errorf("error %v", err)
		}
	})
}

func TestAttachSettlesARollbackThatWasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := takesBack(t)
		finished := 0
		w.leaveAt(fleet.Options{OnFailure: fleet.OnFailureRollback}, func(ev fleet.Event) bool {
			if ev.Type == fleet.HostFinished {
				finished++
			}
			return finished == 3 && ev.Type == fleet.StepStarted && ev.Step == fleet.Build
		})
		time.Sleep(time.Minute)
		w.attach() // the run itself, though that of its rollback is newer
		w.expect("a", fleet.RolledBack, "wave")
		outer := w.record()
		if s, _ := outer.State(); !s.Settled() || s.Summary == nil || s.Summary.Counts[fleet.RolledBack] != 1 {
			t.Errorf("on record: %+v", s.Summary)
		}
	})
}

// backs counts how often a host was told to go back.
func (w *world) backs(host string) int {
	n := 0
	for _, args := range w.hosts[host].launched {
		if args["goal"] == fleet.GoalRollback {
			n++
		}
	}
	return n
}

func TestAttachBeginsTheRollbackThatTheRunsPolicyWants(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    fleet.Options
		left func(w *world) func(fleet.Event) bool
		want string
	}{
		{"left before the wave had failed", fleet.Options{OnFailure: fleet.OnFailureRollback}, func(*world) func(fleet.Event) bool {
			return func(ev fleet.Event) bool { return ev.Type == fleet.HostFinished && ev.Host == "a" }
		}, "a rolled-back, bad failed, same unchanged, next skipped"},
		{"left as it failed", fleet.Options{OnFailure: fleet.OnFailureRollback}, func(*world) func(fleet.Event) bool {
			return func(ev fleet.Event) bool { return ev.Type == fleet.HostFinished && ev.Host == "bad" }
		}, "a rolled-back, bad failed, same unchanged, next skipped"},
		{"more failed than is borne", fleet.Options{OnFailure: fleet.OnFailureRollback, MaxFailures: share("0")}, func(*world) func(fleet.Event) bool {
			return func(ev fleet.Event) bool { return ev.Type == fleet.HostFinished && ev.Host == "bad" }
		}, "a rolled-back, bad failed, same unchanged, next skipped"},
		{"the run only halts", fleet.Options{}, func(*world) func(fleet.Event) bool {
			return func(ev fleet.Event) bool { return ev.Type == fleet.HostFinished && ev.Host == "a" }
		}, "a switched, bad failed, same unchanged, next skipped"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := takesBack(t)
				w.leaveAt(tt.o, tt.left(w))
				time.Sleep(time.Minute)
				w.attach()
				if got := w.outcomes(); got != tt.want {
					t.Errorf("got %s, want %s", got, tt.want)
				}
				if n := w.backs("a"); (n == 1) != strings.Contains(tt.want, "rolled-back") || n > 1 || w.backs("same") > 0 {
					t.Errorf("a was told to go back %d times, same %d", n, w.backs("same"))
				}
				if s, _ := w.record().State(); !s.Settled() || s.Summary == nil {
					t.Errorf("on record: %+v", s.Summary)
				}
				w.attach()
				if n := w.backs("a"); n > 1 {
					t.Error("attached to once more, it went back again")
				}
			})
		})
	}
}

// What an earlier wave did is judged by then: only the wave that failed is taken back.
func TestAttachTakesTheFailedWaveBackAndNoEarlierOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "first", "a", "bad")
		w.host("a").Wave, w.host("bad").Wave = 2, 2
		w.hosts["bad"].log = append([]piece{{20 * time.Second, ""}}, broken("build", "build", "x")...)
		for _, name := range []string{"first", "a"} {
			w.hosts[name].back = steps("switched - verify runs generation 41")
		}
		w.leaveAt(fleet.Options{OnFailure: fleet.OnFailureRollback, MaxFailures: share("0")}, func(ev fleet.Event) bool { return ev.Type == fleet.HostFinished && ev.Host == "bad" })
		time.Sleep(time.Minute)
		w.attach()
		if got := w.outcomes(); got != "first switched, a rolled-back, bad failed" {
			t.Errorf("got %s", got)
		}
	})
}

func TestAttachBeginsWhatARollbackHadNotBegunWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := takesBack(t)
		w.hosts["a"].dials = func(int) error {
			time.Sleep(time.Second)
			return nil
		}
		w.leaveAt(fleet.Options{OnFailure: fleet.OnFailureRollback}, func(ev fleet.Event) bool { return ev.Key == fleet.FactRollback })
		if n := w.backs("a"); n > 0 {
			t.Fatalf("a was told %d times", n)
		}
		w.attach()
		w.expect("a", fleet.RolledBack, "wave")
		if n := w.backs("a"); n != 1 {
			t.Errorf("a was told to go back %d times", n)
		}
	})
}

func TestAHostThatWasNotTakenBackIsNotSaidToBe(t *testing.T) {
	s := &scheduler{run: &run{policy: newPolicy(&fleet.Start{})}}
	for outcome, want := range map[fleet.Outcome]fleet.Outcome{fleet.Switched: fleet.RolledBack, fleet.Unchanged: fleet.RolledBack, fleet.Skipped: fleet.Degraded, fleet.Unreachable: fleet.Degraded, fleet.Unknown: fleet.Unknown} {
		if got := s.rolledBack(nil, fleet.Result{Outcome: outcome}).Outcome; got != want {
			t.Errorf("%s becomes %s, want %s", outcome, got, want)
		}
	}
}

// A wave whose last host appears late: what it does decides over its own wave.
func TestALateHostFailsItsOwnWave(t *testing.T) {
	slow := append([]piece{{20 * time.Second, ""}}, steps(switched)...)
	for _, tt := range []struct {
		name string
		o    fleet.Options
		late []piece // what the late host does
		bad  []piece // and another one of its wave
		want string
	}{
		{"it fails while the next wave is at work", fleet.Options{MaxWaveFailures: share("0")}, broken("build", "build", "x"), steps(switched),
			"a rolled-back, late failed, next switched"},
		{"it is switched after its wave has failed", fleet.Options{}, slow, append([]piece{{21 * time.Second, ""}}, broken("build", "build", "x")...),
			"a failed, late rolled-back, next skipped"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, "a", "late", "next")
				w.host("next").Wave = 2
				w.hosts["a"].log, w.hosts["late"].log = tt.bad, tt.late
				w.hosts["next"].log = slow
				for _, h := range w.hosts {
					h.back = steps("switched - verify runs generation 41")
				}
				begun := time.Now()
				w.hosts["late"].dials = func(int) error {
					return when(time.Since(begun) < 10*time.Second, fakeRefusal{"no route to host", true})
				}
				tt.o.WaitOnline, tt.o.OnFailure = time.Hour, fleet.OnFailureRollback
				w.run(tt.o)
				if got := w.outcomes(); got != tt.want {
					t.Errorf("got %s, want %s", got, tt.want)
				}
			})
		})
	}
}

// The clock is set back between the run's beginning and that of its rollback.
func TestARollbackIsFoundWhateverTheClockSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := takesBack(t)
		var back atomic.Bool
		w.engine.Now = func() time.Time {
			if back.Load() {
				return time.Now().Add(-time.Hour)
			}
			return time.Now()
		}
		begun := false
		w.leaveAt(fleet.Options{OnFailure: fleet.OnFailureRollback}, func(ev fleet.Event) bool {
			if ev.Type == fleet.HostFinished && ev.Host == "a" {
				back.Store(true)
			}
			begun = begun || ev.Key == fleet.FactRollback
			return begun && ev.Type == fleet.StepStarted && ev.Step == fleet.Build
		})
		back.Store(false)
		w.attach()
		w.expect("a", fleet.RolledBack, "wave")
		if n := w.backs("a"); n != 1 {
			t.Errorf("a was told to go back %d times", n)
		}
	})
}

// A host that is let go on after its wave was taken back would be the only one of it on the new configuration.
func TestAttachLetsNoHostGoOnWhoseWaveWasTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := takesBack(t)
		same := w.hosts["same"]
		same.log = confirmed(time.Minute)
		lost := false
		same.life = func(session int) time.Duration { return 3 * time.Second }
		same.dials = func(n int) error { return when(n > 0 && !lost, fakeRefusal{"no route to host", true}) }
		w.leaveAt(fleet.Options{OnFailure: fleet.OnFailureRollback}, func(ev fleet.Event) bool { return ev.Key == fleet.FactRollback })
		lost = true
		w.attach()
		if got := w.outcomes(); got != "a rolled-back, bad failed, same skipped, next skipped" {
			t.Errorf("got %s", got)
		}
	})
}

func TestAWaveThatFailsBeforeItsTurnKeepsNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "a", "b", "bad")
		w.host("b").Wave, w.host("bad").Wave = 2, 2
		w.hosts["a"].log, w.hosts["b"].log = confirmed(time.Minute), confirmed(time.Minute)
		w.hosts["bad"].log = broken("build", "build", "x")
		w.run(fleet.Options{BuildFirst: true, MaxWaveFailures: share("0"), OnFailure: fleet.OnFailureRollback})
		if got := w.outcomes(); got != "a skipped, b skipped, bad failed" {
			t.Errorf("got %s", got)
		}
	})
}
