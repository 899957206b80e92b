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

func TestAWaveWaitsForTheOneBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "dns", "a", "b")
		w.host("dns").Wave = 3
		w.expectExit(w.run(fleet.Options{}), fleet.ExitOK)
		finished := 0
		for _, ev := range w.events {
			if ev.Type == fleet.HostFinished {
				finished++
			}
			if ev.Type == fleet.StepStarted && ev.Step == fleet.Connect && ev.Host == "dns" && finished != 2 {
				t.Errorf("dns began when %d hosts had finished", finished)
			}
		}
	})
}

func TestAFailedWaveStopsTheLaterOnes(t *testing.T) {
	for _, tt := range []struct {
		name string
		set  func(h *fakeHost)
		stop bool
		exit int
	}{
		{"failed", func(h *fakeHost) { h.log = broken("build", "build", "x") }, true, fleet.ExitFailed},
		{"degraded", func(h *fakeHost) { h.log = steps("degraded units verify x") }, true, fleet.ExitFailed},
		{"unknown", func(h *fakeHost) { h.log = []piece{{0, "NONCE step build start\n"}} }, true, fleet.ExitUnreachable},
		{"unreachable", func(h *fakeHost) { h.dials = always(fakeRefusal{"gone", true}) }, false, fleet.ExitUnreachable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, "a", "b", "dns", "vpn")
				w.host("dns").Wave, w.host("vpn").Wave = 2, 3
				tt.set(w.hosts["a"])
				w.expectExit(w.run(fleet.Options{}), tt.exit)
				w.expect("b", fleet.Switched, "")
				if !tt.stop {
					w.expect("vpn", fleet.Switched, "")
					return
				}
				for _, name := range []string{"dns", "vpn"} {
					w.expect(name, fleet.Skipped, "wave")
					if r := w.result(name); r.Reason != "wave 1 failed: a" || w.hosts[name].logins > 0 {
						t.Errorf("%s: %+v, %d logins", name, r, w.hosts[name].logins)
					}
				}
			})
		})
	}
}

func TestStopSkipsWhoWaitsAndFollowsWhoWorks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "a", "b", "c", "d")
		w.host("d").Wave = 2
		begun := time.Now()
		summary := w.runWith(t.Context(), fleet.Options{Parallel: 2}, func(ev fleet.Event) {
			if ev.Type == fleet.StepStarted && ev.Step == fleet.Pull {
				w.engine.Stop()
			}
			if ev.Type == fleet.HostFinished && ev.Host == "c" && time.Since(begun) > 2*time.Second {
				t.Error("c was told to be skipped only after the others had ended")
			}
		})
		w.expectExit(summary, fleet.ExitInterrupted)
		for _, name := range []string{"a", "b"} {
			w.expect(name, fleet.Switched, "")
		}
		for _, name := range []string{"c", "d"} {
			w.expect(name, fleet.Skipped, "interrupted")
		}
		if s := w.state(); s.Summary == nil || s.Summary.ExitCode != fleet.ExitInterrupted {
			t.Errorf("the run's last event: %+v", s.Summary)
		}
	})
}

func TestStopWithNothingLeftToStopChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "a", "b")
		summary := w.runWith(t.Context(), fleet.Options{}, func(ev fleet.Event) {
			if ev.Type == fleet.StepStarted && ev.Step == fleet.Build {
				w.engine.Stop()
			}
		})
		w.expectExit(summary, fleet.ExitOK)
	})
}

func TestLeavingAtOnceRecordsNoOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "a", "b", "c")
		ctx, leave := context.WithCancel(t.Context())
		begun := time.Now()
		summary := w.runWith(ctx, fleet.Options{Parallel: 2}, func(ev fleet.Event) {
			if ev.Type == fleet.StepStarted && ev.Step == fleet.Build {
				leave()
			}
		})
		w.expectExit(summary, fleet.ExitInterrupted)
		if took := time.Since(begun); took > 3*time.Second {
			t.Errorf("leaving took %v", took)
		}
		s, err := w.record().State()
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

func TestDetachLeavesOnceEveryJobHasBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "a", "b", "c")
		w.hosts["c"].says = func(string, arguments) string { return "refused no-sudo" }
		begun := time.Now()
		summary := w.run(fleet.Options{Detach: true})
		w.expectExit(summary, fleet.ExitFailed)
		if time.Since(begun) > time.Second {
			t.Errorf("it took %v", time.Since(begun))
		}
		w.expect("c", fleet.Failed, "no-sudo")
		if got := w.story("a"); got != "connect ok" {
			t.Errorf("a: %s", got)
		}
		if w.record().Living() {
			t.Error("the record is still owned")
		}
		w.hosts["c"].says = nil
		w.expectExit(w.attach(), fleet.ExitFailed)
		w.expect("a", fleet.Switched, "")
		w.expectWholeLog("b")
	})
}

func TestPlanSaysWhatStandsAgainstIt(t *testing.T) {
	for _, tt := range []struct {
		name string
		set  func(w *world, o *fleet.Options)
		want []string
	}{
		{"an unknown goal", func(_ *world, o *fleet.Options) { o.Goal = "swich" }, []string{`"swich"`, "switch, boot, test, build or pull"}},
		{"boot on a home", func(w *world, o *fleet.Options) { o.Goal = "boot"; w.host("b").Kind = "home" }, []string{"boot", "not for b", "kind:nixos"}},
		{"building where a command switches", func(w *world, o *fleet.Options) { o.Goal = "build"; w.host("a").SwitchCommand = "x" }, []string{"switch_command", ": a"}},
		{"detaching from waves", func(w *world, o *fleet.Options) { o.Detach = true; w.host("a").Wave = 7 }, []string{"waves (wave 1, wave 7)", "--detach"}},
		{"a revision and no pull", func(_ *world, o *fleet.Options) { o.Rev, o.NoPull = rev1, true }, []string{"--rev", "--no-pull"}},
		{"an option for a revision", func(_ *world, o *fleet.Options) { o.Rev = "--upload-pack=x" }, []string{`"--upload-pack=x"`}},
		{"a branch without a remote", func(w *world, o *fleet.Options) { o.Rev = "dev"; w.inv.Remote = "" }, []string{`"dev"`, "remote in [fleet]"}},
		{"a managed clone of nothing", func(w *world, _ *fleet.Options) { w.host("b").Managed = true; w.inv.Remote = "" }, []string{"managed", ": b"}},
		{"no host", func(w *world, _ *fleet.Options) { w.inv.Hosts = nil }, []string{"at least one host"}},
	} {
		w := newWorld(t, "a", "b")
		var o fleet.Options
		tt.set(w, &o)
		_, err := fleet.NewPlan(w.inv, w.inv.Hosts, o, "me@here")
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
	w := newWorld(t, "a", "b", "c", "d")
	w.host("a").Wave, w.host("c").Wave = 9, 2
	var got []string
	for _, planned := range w.plan(fleet.Options{}).Start().Hosts {
		got = append(got, planned.Name)
	}
	if s := strings.Join(got, " "); s != "b d c a" {
		t.Errorf("order %q", s)
	}
}
