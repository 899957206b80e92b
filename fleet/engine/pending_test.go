package engine

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
)

func TestWaitOnlineDeploysHostThatAppears(t *testing.T) {
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
				fx := newFixture(t, "away", "here", "next")
				fx.host("next").Wave = 2
				started := time.Now()
				fx.hosts["away"].onDial = func(int) error {
					return errorIf(time.Since(started) < tt.appears, fakeRefusal{"no route to host", true})
				}
				if strings.Contains(tt.want, "failed") {
					fx.hosts["here"].log = failLog("build", "build", "x")
				}
				fx.runWith(t.Context(), tt.o, func(ev fleet.Event) {
					if ev.Type == fleet.HostFinished && ev.Host == "next" && time.Since(started) > time.Minute {
						t.Errorf("the other hosts waited for %v", time.Since(started))
					}
				})
				if got := fx.outcomes(); got != tt.want {
					t.Errorf("got %s, want %s", got, tt.want)
				}
				if took := time.Since(started); took > time.Hour+time.Minute {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

func TestStopEndsWaitOnline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "away", "here")
		fx.hosts["away"].onDial = always(fakeRefusal{"no route to host", true})
		summary := fx.runWith(t.Context(), fleet.Options{WaitOnline: time.Hour}, func(ev fleet.Event) {
			if ev.Type == fleet.HostFinished && ev.Host == "here" {
				fx.engine.Stop()
			}
		})
		fx.expectExit(summary, fleet.ExitInterrupted)
		fx.expect("away", fleet.Skipped, "interrupted")
		if r := fx.result("away"); r.Seconds > 60 {
			t.Errorf("%+v", r)
		}
	})
}

func TestPendingDeploys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "fine", "away", "laptop", "lost", "bad", "next")
		fx.host("laptop").SkipOffline = true
		fx.host("next").Wave = 2
		gone := true
		offline := func(int) error { return errorIf(gone, fakeRefusal{"no route to host", true}) }
		fx.hosts["away"].onDial, fx.hosts["laptop"].onDial = offline, offline
		fx.hosts["lost"].cut = cutOnce(0, 200)
		fx.hosts["lost"].onDial = func(n int) error { return errorIf(gone && n > 0, fakeRefusal{"no route to host", true}) }
		fx.hosts["bad"].log = failLog("build", "build", "x")
		fx.run(fleet.Options{})
		first := fx.record().Run
		expect := func(owed, failed string) {
			t.Helper()
			history, err := fx.engine.Records.HostHistory("test")
			var got []string
			for _, d := range history.Pending {
				got = append(got, d.Host)
				if d.Revision != rev2 || d.Run != first {
					t.Errorf("%+v", d)
				}
			}
			names, errFailed := fx.engine.Records.Failed("test")
			if err != nil || errFailed != nil || strings.Join(got, " ") != owed || strings.Join(names, " ") != failed {
				t.Errorf("owed %v, failed %v (%v, %v); want %q and %q", got, names, err, errFailed, owed, failed)
			}
		}
		expect("away laptop lost", "bad next")
		lastRuns := func(want string) {
			t.Helper()
			history, err := fx.engine.Records.HostHistory("test")
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

		// Another deploy settles only its own hosts.
		gone, fx.events = false, nil
		all := fx.inv.Hosts
		fx.inv.Hosts = all[1:2]
		fx.run(fleet.Options{})
		expect("laptop lost", "")
		lastRuns("fine switch switched, away switch switched, lost switch unknown, bad switch failed")

		// A goal that activates nothing settles nothing.
		fx.inv.Hosts, fx.events = all[2:3], nil
		fx.hosts["laptop"].log = []logPart{{0, "NONCE end built - build built\n"}}
		fx.run(fleet.Options{Goal: fleet.GoalBuild})
		expect("laptop lost", "")
		lastRuns("fine switch switched, away switch switched, laptop build built, lost switch unknown, bad switch failed")
		if other, err := fx.engine.Records.HostHistory("another fleet"); err != nil || len(other.Pending)+len(other.LastRuns) > 0 {
			t.Error(fmt.Sprint(other, err))
		}
	})
}

func TestAttachKnowsHostThatWasWaitedFor(t *testing.T) {
	// A host that never came online does not count as a failure of its wave, even in another
	// process.
	for _, skip := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			fx := newFixture(t, "a", "away")
			fx.host("away").SkipOffline = skip
			fx.hosts["a"].rollbackLog = fullLog("switched - verify runs generation 41")
			fx.hosts["away"].onDial = always(fakeRefusal{"no route to host", true})
			fx.killAt(fleet.Options{WaitOnline: time.Hour, OnFailure: fleet.OnFailureRollback}, hostFinished("a"))
			fx.attach()
			want := "a switched, away unreachable"
			if skip {
				want = "a switched, away skipped"
			}
			if got := fx.outcomes(); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestAttachContinuesHostThatAppeared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "away")
		started := time.Now()
		fx.hosts["away"].onDial = func(int) error {
			return errorIf(time.Since(started) < time.Minute, fakeRefusal{"no route to host", true})
		}
		fx.abandonAt(fleet.Options{WaitOnline: time.Hour}, stepStarted(fleet.Build))
		fx.hosts["away"].onDial = always(fakeRefusal{"no route to host", true})
		fx.attach()
		fx.expect("away", fleet.Unknown, "lost")
		fx.hosts["away"].onDial = nil
		fx.attach()
		fx.expect("away", fleet.Switched, "")
	})
}
