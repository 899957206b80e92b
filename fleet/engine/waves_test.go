package engine

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
)

func TestWaveWaitsForPreviousWave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "dns", "a", "b")
		fx.host("dns").Wave = 3
		fx.expectExit(fx.run(fleet.Options{}), fleet.ExitOK)
		finished := 0
		for _, ev := range fx.events {
			if ev.Type == fleet.HostFinished {
				finished++
			}
			if ev.Type == fleet.StepStarted && ev.Step == fleet.Connect && ev.Host == "dns" && finished != 2 {
				t.Errorf("dns started after %d hosts had finished", finished)
			}
		}
	})
}

func TestFailedWaveStopsLaterWaves(t *testing.T) {
	for _, tt := range []struct {
		name string
		set  func(h *fakeHost)
		stop bool
		exit int
	}{
		{"failed", func(h *fakeHost) { h.log = failLog("build", "build", "x") }, true, fleet.ExitFailed},
		{"degraded", func(h *fakeHost) { h.log = fullLog("degraded units verify x") }, true, fleet.ExitFailed},
		{"unknown", func(h *fakeHost) { h.log = []logPart{{0, "NONCE step build start\n"}} }, true, fleet.ExitUnreachable},
		{"unreachable", func(h *fakeHost) { h.onDial = always(fakeRefusal{"gone", true}) }, false, fleet.ExitUnreachable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fx := newFixture(t, "a", "b", "dns", "vpn")
				fx.host("dns").Wave, fx.host("vpn").Wave = 2, 3
				tt.set(fx.hosts["a"])
				fx.expectExit(fx.run(fleet.Options{}), tt.exit)
				fx.expect("b", fleet.Switched, "")
				if !tt.stop {
					fx.expect("vpn", fleet.Switched, "")
					return
				}
				for _, name := range []string{"dns", "vpn"} {
					fx.expect(name, fleet.Skipped, "wave")
					if r := fx.result(name); r.Reason != "wave 1 failed: a" || fx.hosts[name].logins > 0 {
						t.Errorf("%s: %+v, %d logins", name, r, fx.hosts[name].logins)
					}
				}
			})
		})
	}
}

func TestStopSkipsWaitingHosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "a", "b", "c", "d")
		fx.host("d").Wave = 2
		started := time.Now()
		summary := fx.runWith(t.Context(), fleet.Options{Parallel: 2}, func(ev fleet.Event) {
			if ev.Type == fleet.StepStarted && ev.Step == fleet.Pull {
				fx.engine.Stop()
			}
			if ev.Type == fleet.HostFinished && ev.Host == "c" && time.Since(started) > 2*time.Second {
				t.Error("c was skipped only after the others had finished")
			}
		})
		fx.expectExit(summary, fleet.ExitInterrupted)
		for _, name := range []string{"a", "b"} {
			fx.expect(name, fleet.Switched, "")
		}
		for _, name := range []string{"c", "d"} {
			fx.expect(name, fleet.Skipped, "interrupted")
		}
		if s := fx.state(); s.Summary == nil || s.Summary.ExitCode != fleet.ExitInterrupted {
			t.Errorf("the run's last event: %+v", s.Summary)
		}
	})
}

func TestStopWithoutWaitingHostsChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "a", "b")
		summary := fx.runWith(t.Context(), fleet.Options{}, func(ev fleet.Event) {
			if ev.Type == fleet.StepStarted && ev.Step == fleet.Build {
				fx.engine.Stop()
			}
		})
		fx.expectExit(summary, fleet.ExitOK)
	})
}

func TestCancelledContextRecordsNoOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "a", "b", "c")
		ctx, cancel := context.WithCancel(t.Context())
		started := time.Now()
		summary := fx.runWith(ctx, fleet.Options{Parallel: 2}, func(ev fleet.Event) {
			if ev.Type == fleet.StepStarted && ev.Step == fleet.Build {
				cancel()
			}
		})
		fx.expectExit(summary, fleet.ExitInterrupted)
		if took := time.Since(started); took > 3*time.Second {
			t.Errorf("Run returned after %v", took)
		}
		s, err := fx.record().State()
		if err != nil || s.Summary != nil || s.Settled() {
			t.Errorf("on record: %+v, %v", s, err)
		}
		for _, h := range s.Hosts {
			if h.Result != nil {
				t.Errorf("%s has an outcome: %+v", h.Name, h.Result)
			}
		}
	})
}

func TestDetachReturnsOnceJobsHaveStarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "a", "b", "c")
		fx.hosts["c"].reply = func(string, arguments) string { return "refused no-sudo" }
		started := time.Now()
		summary := fx.run(fleet.Options{Detach: true})
		fx.expectExit(summary, fleet.ExitFailed)
		if time.Since(started) > time.Second {
			t.Errorf("it took %v", time.Since(started))
		}
		fx.expect("c", fleet.Failed, "no-sudo")
		if got := fx.trace("a"); got != "connect ok" {
			t.Errorf("a: %s", got)
		}
		if fx.record().Owned() {
			t.Error("the record is still owned")
		}
		fx.hosts["c"].reply = nil
		fx.expectExit(fx.attach(), fleet.ExitFailed)
		fx.expect("a", fleet.Switched, "")
		fx.expectWholeLog("b")
	})
}
