package fleet

import (
	"testing"
	"testing/synctest"
	"time"
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
		w.expectExit(w.run(Options{OnFailure: OnFailureRollback}), ExitFailed)
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
		if s, err := back.State(); err != nil || !s.Settled() || s.Start.Goal != GoalRollback || s.Host("a").Result.Outcome != Switched {
			t.Errorf("the rollback's own record: %+v, %v", s, err)
		}
	})
}

func TestAHostThatCannotBeTakenBackIsDegraded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := takesBack(t)
		w.hosts["a"].back = broken("activate", "no-generation", "there is none before")
		w.run(Options{OnFailure: OnFailureRollback})
		w.expect("a", Degraded, "rollback")
	})
}

func TestAttachSettlesARollbackThatWasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := takesBack(t)
		finished := 0
		w.leaveAt(Options{OnFailure: OnFailureRollback}, func(ev Event) bool {
			if ev.Type == HostFinished {
				finished++
			}
			return finished == 3 && ev.Type == StepStarted && ev.Step == Build
		})
		time.Sleep(time.Minute)
		w.events = nil
		all, _ := w.engine.Records.List()
		outer, err := w.engine.Records.Latest()
		if err != nil || len(all) != 2 || outer.Run != all[1].Run {
			t.Fatalf("the last run is %v of %v, %v", outer, all, err)
		}
		if _, err := w.another().Attach(t.Context(), outer, w.inv, w.sink(func(Event) {})); err != nil {
			t.Error(err)
		}
		w.expect("a", RolledBack, "wave")
		if s, _ := outer.State(); !s.Settled() || s.Summary == nil || s.Summary.Counts[RolledBack] != 1 {
			t.Errorf("on record: %+v", s.Summary)
		}
	})
}
