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

// cancelWhen runs, and has another process cancel the run at an event.
func (w *world) cancelWhen(o fleet.Options, when func(fleet.Event) bool) (fleet.Summary, error) {
	w.t.Helper()
	var cancelling sync.WaitGroup
	var once sync.Once
	var err error
	summary := w.runWith(w.t.Context(), o, func(ev fleet.Event) {
		if when(ev) {
			once.Do(func() {
				cancelling.Go(func() { err = w.another().Cancel(w.t.Context(), w.record(), w.inv, func(string, string) {}) })
			})
		}
	})
	cancelling.Wait()
	return summary, err
}

func TestACancelledRunTakesNoWaveBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := takesBack(t)
		w.hosts["bad"].log = append(steps("")[:3:3], piece{time.Hour, ""})
		if _, err := w.cancelWhen(fleet.Options{OnFailure: fleet.OnFailureRollback}, func(ev fleet.Event) bool { return ev.Type == fleet.HostFinished && ev.Host == "a" }); err != nil {
			t.Error(err)
		}
		if got := w.outcomes(); got != "a switched, bad cancelled, same unchanged, next cancelled" || w.state().Rollback != "" {
			t.Errorf("got %s", got)
		}
		if got := w.lines(""); !strings.Contains(got, "not rolled back, because the run was cancelled") {
			t.Errorf("lines: %s", got)
		}
		w.attach()
		if w.backs("a") > 0 {
			t.Error("a was rolled back when the run was attached to")
		}
	})
}

// The owner of the run has a connection to the host, and the process that cancels has none.
func TestAHostThatCouldNotBeAskedToCancelIsNotToldToGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web")
		h := w.hosts["web"]
		h.log = confirmed(time.Minute)
		h.dials = func(n int) error { return when(n == 1, fakeRefusal{"no route to host", true}) }
		if _, err := w.cancelWhen(fleet.Options{}, atStep(fleet.Build)); err == nil {
			t.Error("it could be asked")
		}
		w.expect("web", fleet.Cancelled, "cancelled")
		if slices.Contains(h.told, "go") {
			t.Errorf("it was told %q", h.told)
		}
	})
}

func TestAHostThatIsWaitedForNeedsNotBeAskedToCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web", "away")
		w.hosts["away"].dials = always(fakeRefusal{"no route to host", true})
		if _, err := w.cancelWhen(fleet.Options{WaitOnline: time.Hour}, atStep(fleet.Build)); err != nil {
			t.Error(err)
		}
		w.expect("away", fleet.Cancelled, "cancelled")
	})
}

func TestCancelSaysWhichHostsItCouldNotAskDuringARollback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := takesBack(t)
		for _, h := range w.hosts {
			h.log = slices.Insert(h.log, max(0, min(5, len(h.log)-1)), piece{0, awaitGo})
		}
		var shut atomic.Bool
		w.hosts["next"].dials = func(int) error { return when(shut.Load(), fakeRefusal{"no route to host", true}) }
		_, err := w.cancelWhen(fleet.Options{OnFailure: fleet.OnFailureRollback, BuildFirst: true}, func(ev fleet.Event) bool {
			if ev.Key == fleet.FactRollback {
				shut.Store(true)
			}
			return shut.Load() && atStep(fleet.Build)(ev)
		})
		if err == nil || !strings.Contains(err.Error(), "1 of 4 hosts") {
			t.Errorf("error %v", err)
		}
	})
}
