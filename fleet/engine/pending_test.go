package engine

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
)

func TestAHostThatIsAwayIsDeployedAsItAppears(t *testing.T) {
	for _, tt := range []struct {
		name    string
		appears time.Duration
		o       fleet.Options
		want    string
	}{
		{"in time", 20 * time.Minute, fleet.Options{WaitOnline: time.Hour, Parallel: 1}, "away switched, here switched, next switched"},
		{"too late", 2 * time.Hour, fleet.Options{WaitOnline: time.Hour, Parallel: 1}, "away unreachable, here switched, next switched"},
		{"after a wave has failed", 20 * time.Minute, fleet.Options{WaitOnline: time.Hour}, "away skipped, here failed, next skipped"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, "away", "here", "next")
				w.host("next").Wave = 2
				begun := time.Now()
				w.hosts["away"].dials = func(int) error {
					return when(time.Since(begun) < tt.appears, fakeRefusal{"no route to host", true})
				}
				if strings.Contains(tt.want, "failed") {
					w.hosts["here"].log = broken("build", "build", "x")
				}
				w.runWith(t.Context(), tt.o, func(ev fleet.Event) {
					if ev.Type == fleet.HostFinished && ev.Host == "next" && time.Since(begun) > time.Minute {
						t.Errorf("the others waited for %v", time.Since(begun))
					}
				})
				if got := w.outcomes(); got != tt.want {
					t.Errorf("got %s, want %s", got, tt.want)
				}
				if took := time.Since(begun); took > time.Hour+time.Minute {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

func TestNobodyIsWaitedForOnceTheOperatorStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "away", "here")
		w.hosts["away"].dials = always(fakeRefusal{"no route to host", true})
		summary := w.runWith(t.Context(), fleet.Options{WaitOnline: time.Hour}, func(ev fleet.Event) {
			if ev.Type == fleet.HostFinished && ev.Host == "here" {
				w.engine.Stop()
			}
		})
		w.expectExit(summary, fleet.ExitInterrupted)
		w.expect("away", fleet.Skipped, "interrupted")
		if r := w.result("away"); r.Seconds > 60 {
			t.Errorf("%+v", r)
		}
	})
}

func TestWhatIsOwedIsWhatTheLastDeployDidNotGetTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "fine", "away", "laptop", "lost", "bad", "next")
		w.host("laptop").SkipOffline = true
		w.host("next").Wave = 2
		gone := true
		offline := func(int) error { return when(gone, fakeRefusal{"no route to host", true}) }
		w.hosts["away"].dials, w.hosts["laptop"].dials = offline, offline
		w.hosts["lost"].cut = once(0, 200)
		w.hosts["lost"].dials = func(n int) error { return when(gone && n > 0, fakeRefusal{"no route to host", true}) }
		w.hosts["bad"].log = broken("build", "build", "x")
		w.run(fleet.Options{})
		first := w.record().Run
		expect := func(owed, failed string) {
			t.Helper()
			history, err := w.engine.Records.HostHistory("test")
			var got []string
			for _, d := range history.Pending {
				got = append(got, d.Host)
				if d.Revision != rev2 || d.Run != first {
					t.Errorf("%+v", d)
				}
			}
			names, errFailed := w.engine.Records.Failed("test")
			if err != nil || errFailed != nil || strings.Join(got, " ") != owed || strings.Join(names, " ") != failed {
				t.Errorf("owed %v, failed %v (%v, %v); want %q and %q", got, names, err, errFailed, owed, failed)
			}
		}
		expect("away laptop lost", "bad next")
		lastRuns := func(want string) {
			t.Helper()
			history, err := w.engine.Records.HostHistory("test")
			var got []string
			for _, h := range []string{"fine", "away", "laptop", "lost", "bad", "next"} {
				if last, ok := history.LastRuns[h]; ok {
					got = append(got, h+" "+last.Goal+" "+last.Outcome)
				}
			}
			if s := strings.Join(got, ", "); err != nil || s != want {
				t.Errorf("last runs: %s (%v), want %s", s, err, want)
			}
		}
		lastRuns("fine switch switched, away switch unreachable, lost switch unknown, bad switch failed")

		// Another deploy settles its own hosts, and no others.
		gone, w.events = false, nil
		all := w.inv.Hosts
		w.inv.Hosts = all[1:2]
		w.run(fleet.Options{})
		expect("laptop lost", "")
		lastRuns("fine switch switched, away switch switched, lost switch unknown, bad switch failed")

		// Goals that change nothing settle nothing.
		w.inv.Hosts, w.events = all[2:3], nil
		w.hosts["laptop"].log = []piece{{0, "NONCE end built - build built\n"}}
		w.run(fleet.Options{Goal: fleet.GoalBuild})
		expect("laptop lost", "")
		lastRuns("fine switch switched, away switch switched, laptop build built, lost switch unknown, bad switch failed")
		if other, err := w.engine.Records.HostHistory("another fleet"); err != nil || len(other.Pending)+len(other.LastRuns) > 0 {
			t.Error(fmt.Sprint(other, err))
		}
	})
}

// A laptop that sleeps says nothing against its wave, whoever waits for it.
func TestAttachDoesNotTakeAHostThatWasWaitedForForOneThatHadBegun(t *testing.T) {
	for _, skip := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, "a", "away")
			w.host("away").SkipOffline = skip
			w.hosts["a"].back = steps("switched - verify runs generation 41")
			w.hosts["away"].dials = always(fakeRefusal{"no route to host", true})
			w.killAt(fleet.Options{WaitOnline: time.Hour, OnFailure: fleet.OnFailureRollback}, func(ev fleet.Event) bool { return ev.Type == fleet.HostFinished && ev.Host == "a" })
			w.attach()
			want := "a switched, away unreachable"
			if skip {
				want = "a switched, away skipped"
			}
			if got := w.outcomes(); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestAttachGoesOnWithAHostThatHadAppeared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "away")
		begun := time.Now()
		w.hosts["away"].dials = func(int) error { return when(time.Since(begun) < time.Minute, fakeRefusal{"no route to host", true}) }
		w.leaveAt(fleet.Options{WaitOnline: time.Hour}, atStep(fleet.Build))
		w.hosts["away"].dials = always(fakeRefusal{"no route to host", true})
		w.attach()
		w.expect("away", fleet.Unknown, "lost")
		w.hosts["away"].dials = nil
		w.attach()
		w.expect("away", fleet.Switched, "")
	})
}
