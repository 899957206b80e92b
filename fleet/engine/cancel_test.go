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

// cancelWhen runs until an event matches and then lets another process cancel the run. It returns
// the error of that process.
func (fx *fixture) cancelWhen(o fleet.Options, when func(fleet.Event) bool) (fleet.Summary, error) {
	fx.t.Helper()
	var cancelling sync.WaitGroup
	var once sync.Once
	var err error
	summary := fx.runWith(fx.t.Context(), o, func(ev fleet.Event) {
		if when(ev) {
			once.Do(func() {
				cancelling.Go(func() {
					err = fx.another().Cancel(fx.t.Context(), fx.record(), fx.inv, func(string, string) {})
				})
			})
		}
	})
	cancelling.Wait()
	return summary, err
}

func TestCancelledRunDoesNotRollBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := rollbackFixture(t)
		fx.hosts["bad"].log = append(fullLog("")[:3:3], logPart{time.Hour, ""})
		_, err := fx.cancelWhen(fleet.Options{OnFailure: fleet.OnFailureRollback}, hostFinished("a"))
		if err != nil {
			t.Error(err)
		}
		if got := fx.outcomes(); got != "a switched, bad cancelled, same unchanged, next cancelled" || fx.state().Rollback != "" {
			t.Errorf("got %s", got)
		}
		if got := fx.lines(""); !strings.Contains(got, "not rolled back, because the run was cancelled") {
			t.Errorf("lines: %s", got)
		}
		fx.attach()
		if fx.rollbacks("a") > 0 {
			t.Error("attach rolled a back")
		}
	})
}

func TestCancelWithholdsGoFromUnreachableHost(t *testing.T) {
	// Only the owner of the run has a connection to the host.
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "web")
		h := fx.hosts["web"]
		h.log = confirmLog(time.Minute)
		h.onDial = func(n int) error { return errorIf(n == 1, fakeRefusal{"no route to host", true}) }
		if _, err := fx.cancelWhen(fleet.Options{}, stepStarted(fleet.Build)); err == nil {
			t.Error("Cancel reached the host")
		}
		fx.expect("web", fleet.Cancelled, "cancelled")
		if slices.Contains(h.signals, "go") {
			t.Errorf("it received %q", h.signals)
		}
	})
}

func TestCancelIgnoresHostsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "web", "away")
		fx.hosts["away"].onDial = always(fakeRefusal{"no route to host", true})
		if _, err := fx.cancelWhen(fleet.Options{WaitOnline: time.Hour}, stepStarted(fleet.Build)); err != nil {
			t.Error(err)
		}
		fx.expect("away", fleet.Cancelled, "cancelled")
	})
}

func TestCancelReportsUnreachableHostsDuringRollback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := rollbackFixture(t)
		for _, h := range fx.hosts {
			h.log = slices.Insert(h.log, max(0, min(5, len(h.log)-1)), logPart{0, awaitGo})
		}
		var shut atomic.Bool
		fx.hosts["next"].onDial = func(int) error { return errorIf(shut.Load(), fakeRefusal{"no route to host", true}) }
		_, err := fx.cancelWhen(fleet.Options{OnFailure: fleet.OnFailureRollback, BuildFirst: true}, func(ev fleet.Event) bool {
			if ev.Key == fleet.FactRollback {
				shut.Store(true)
			}
			return shut.Load() && stepStarted(fleet.Build)(ev)
		})
		if err == nil || !strings.Contains(err.Error(), "1 of 4 hosts") {
			t.Errorf("error %v", err)
		}
	})
}
