package engine

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/internal/hint"
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
				t.Errorf("dns began when %d hosts had finished", finished)
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
				t.Error("c was told to be skipped only after the others had ended")
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
		ctx, leave := context.WithCancel(t.Context())
		started := time.Now()
		summary := fx.runWith(ctx, fleet.Options{Parallel: 2}, func(ev fleet.Event) {
			if ev.Type == fleet.StepStarted && ev.Step == fleet.Build {
				leave()
			}
		})
		fx.expectExit(summary, fleet.ExitInterrupted)
		if took := time.Since(started); took > 3*time.Second {
			t.Errorf("leaving took %v", took)
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

func TestPlanSaysWhatStandsAgainstIt(t *testing.T) {
	for _, tt := range []struct {
		name string
		set  func(fx *fixture, o *fleet.Options)
		want []string
	}{
		{"an unknown goal", func(_ *fixture, o *fleet.Options) { o.Goal = "swich" }, []string{`"swich"`, "switch, boot, test, build or pull"}},
		{"boot on a home", func(fx *fixture, o *fleet.Options) { o.Goal = "boot"; fx.host("b").Kind = "home" }, []string{"boot", "not for b", "kind:nixos"}},
		{"building where a command switches", func(fx *fixture, o *fleet.Options) { o.Goal = "build"; fx.host("a").SwitchCommand = "x" }, []string{"switch_command", ": a"}},
		{"detaching from waves", func(fx *fixture, o *fleet.Options) { o.Detach = true; fx.host("a").Wave = 7 }, []string{"waves (wave 1, wave 7)", "--detach"}},
		{"a revision and no pull", func(_ *fixture, o *fleet.Options) { o.Rev, o.NoPull = rev1, true }, []string{"--rev", "--no-pull"}},
		{"an option for a revision", func(_ *fixture, o *fleet.Options) { o.Rev = "--upload-pack=x" }, []string{`"--upload-pack=x"`}},
		{"a branch without a remote", func(fx *fixture, o *fleet.Options) { o.Rev = "dev"; fx.inv.Remote = "" }, []string{`"dev"`, "remote in [fleet]"}},
		{"a managed clone of nothing", func(fx *fixture, _ *fleet.Options) { fx.host("b").Managed = true; fx.inv.Remote = "" }, []string{"managed", ": b"}},
		{"no host", func(fx *fixture, _ *fleet.Options) { fx.inv.Hosts = nil }, []string{"at least one host"}},
	} {
		fx := newFixture(t, "a", "b")
		var o fleet.Options
		tt.set(fx, &o)
		_, err := fleet.NewPlan(fx.inv, fx.inv.Hosts, o, "me@here")
		if err == nil {
			t.Errorf("%s: no error", tt.name)
			continue
		}
		for _, want := range tt.want {
			if text := err.Error() + "\n" + hint.Of(err); !strings.Contains(text, want) {
				t.Errorf("%s: %q does not contain %q", tt.name, text, want)
			}
		}
	}
}

func TestPlanOrdersWavesAndKeepsTheInventorysOrderInThem(t *testing.T) {
	fx := newFixture(t, "a", "b", "c", "d")
	fx.host("a").Wave, fx.host("c").Wave = 9, 2
	var got []string
	for _, planned := range fx.plan(fleet.Options{}).Start().Hosts {
		got = append(got, planned.Name)
	}
	if s := strings.Join(got, " "); s != "b d c a" {
		t.Errorf("order %q", s)
	}
}
