package engine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
)

// abandonAt runs until an event matches and then ends the run as if the process had been killed.
func (fx *fixture) abandonAt(o fleet.Options, when func(fleet.Event) bool) {
	fx.t.Helper()
	ctx, kill := context.WithCancel(fx.t.Context())
	defer kill()
	fx.runWith(ctx, o, func(ev fleet.Event) {
		if when(ev) {
			kill()
		}
	})
}

// stepStarted returns a function that matches the start of a step.
func stepStarted(s fleet.Step) func(fleet.Event) bool {
	return func(ev fleet.Event) bool { return ev.Type == fleet.StepStarted && ev.Step == s }
}

// hostFinished returns a function that matches the end of a host.
func hostFinished(name string) func(fleet.Event) bool {
	return func(ev fleet.Event) bool { return ev.Type == fleet.HostFinished && ev.Host == name }
}

func TestAttachNamesOtherDamagedRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "web")
		fx.abandonAt(fleet.Options{}, stepStarted(fleet.Build))
		dir := filepath.Join(fx.engine.Records.Dir, "19990101-000000-aaaa")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "events.jsonl"), []byte("nonsense\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		fx.expectExit(fx.attach(), fleet.ExitOK)
		fx.expect("web", fleet.Switched, "")
		named := false
		for _, ev := range fx.events {
			named = named || ev.Type == fleet.LogLine && strings.Contains(ev.Line, "run 19990101-000000-aaaa is damaged")
		}
		if !named {
			t.Error("the damaged record is not named")
		}
	})
}

func TestAttachContinuesAbandonedRun(t *testing.T) {
	var events, lines string
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "web")
		fx.run(fleet.Options{})
		events, lines = fx.trace("web"), fx.lines("web")
	})
	for _, step := range []fleet.Step{fleet.Connect, fleet.Preflight, fleet.Pull, fleet.Build, fleet.Activate, fleet.Verify} {
		t.Run("during "+string(step), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fx := newFixture(t, "web")
				if step == fleet.Connect {
					fx.hosts["web"].onDial = func(int) error { time.Sleep(time.Second); return nil }
				}
				fx.abandonAt(fleet.Options{}, stepStarted(step))
				time.Sleep(time.Minute) // in which the job ends
				if step == fleet.Connect {
					fx.expectExit(fx.attach(), fleet.ExitInterrupted)
					fx.expect("web", fleet.Skipped, "interrupted")
					return
				}
				fx.expectExit(fx.attach(), fleet.ExitOK)
				fx.expect("web", fleet.Switched, "")
				fx.expectWholeLog("web")
				if fx.hosts["web"].started != 1 {
					t.Errorf("%d jobs", fx.hosts["web"].started)
				}
				if fx.lines("web") != lines {
					t.Errorf("attach reports the lines\n%s\nwant\n%s", fx.lines("web"), lines)
				}
				if s, err := fx.record().State(); err != nil || !s.Settled() || s.Summary == nil {
					t.Errorf("on record: %+v, %v", s, err)
				}
				recorded := []fleet.Event{}
				fx.record().Replay(func(ev fleet.Event) { recorded = append(recorded, ev) })
				for what, list := range map[string][]fleet.Event{"reported": fx.events, "recorded": recorded} {
					got := strings.Replace(trace(list, "web"), "reconnect=lost reconnect=back ", "", 1)
					if got != events {
						t.Errorf("%s:\n got %s\nwant %s", what, got, events)
					}
				}
			})
		})
	}
}

func TestAttachSkipsHostsThatNeverStarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "a", "b", "dns")
		fx.host("dns").Wave = 2
		fx.abandonAt(fleet.Options{Parallel: 1}, stepStarted(fleet.Build))
		fx.expectExit(fx.attach(), fleet.ExitInterrupted)
		fx.expect("a", fleet.Switched, "")
		for _, name := range []string{"b", "dns"} {
			fx.expect(name, fleet.Skipped, "interrupted")
			if fx.hosts[name].logins > 0 {
				t.Errorf("%s was logged in to", name)
			}
		}
	})
}

func TestAttachSettlesUnknownHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "web", "db")
		h := fx.hosts["web"]
		h.cut = cutOnce(0, 200)
		away := true
		h.onDial = func(n int) error {
			if n > 0 && away {
				return fakeRefusal{"no route to host", true}
			}
			return nil
		}
		fx.expectExit(fx.run(fleet.Options{}), fleet.ExitUnreachable)
		fx.expect("web", fleet.Unknown, "lost")
		away = false
		fx.expectExit(fx.attach(), fleet.ExitOK)
		fx.expect("web", fleet.Switched, "")
		fx.expectWholeLog("web")
		if s := fx.state(); s.Summary == nil || s.Summary.ExitCode != fleet.ExitOK || s.Summary.Counts[fleet.Switched] != 2 {
			t.Errorf("summary %+v", s.Summary)
		}
	})
}

func TestAttachToFinishedRunChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "web")
		fx.run(fleet.Options{})
		before, _ := os.ReadFile(fx.record().EventsPath())
		logins, events := fx.hosts["web"].logins, fx.trace("web")
		fx.expectExit(fx.attach(), fleet.ExitOK)
		if got := fx.trace("web"); got != events {
			t.Errorf("got %s", got)
		}
		if after, _ := os.ReadFile(fx.record().EventsPath()); string(after) != string(before) || fx.hosts["web"].logins != logins {
			t.Error("the record changed, or a host was logged in to")
		}
	})
}

func TestAttachSettlesOfflineHostFromLog(t *testing.T) {
	for _, tt := range []struct {
		name    string
		log     []logPart
		outcome fleet.Outcome
	}{
		{"failed build", append(fullLog("")[:2:2], logPart{5 * time.Second, failLog("build", "build", "x")[0].text}), fleet.Failed},
		{"switch without a new login", fullLog(switched), fleet.Unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fx := newFixture(t, "web")
				fx.hosts["web"].log = tt.log
				fx.abandonAt(fleet.Options{}, stepStarted(fleet.Pull))
				time.Sleep(time.Minute)
				// As if the process had been killed between writing the log and recording its
				// events.
				log := fx.hosts["web"].job(fx.record().Run + ".web").all()
				if err := os.WriteFile(fx.record().LogPath("web"), []byte(log), 0o600); err != nil {
					t.Fatal(err)
				}
				fx.hosts["web"].onDial = always(fakeRefusal{"no route to host", true})
				fx.attach()
				if r := fx.result("web"); r.Outcome != tt.outcome {
					t.Errorf("%+v", r)
				}
			})
		})
	}
}

func TestAttachReportsHostMissingFromInventory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "web", "db")
		fx.abandonAt(fleet.Options{}, func(ev fleet.Event) bool {
			return ev.Type == fleet.StepStarted && ev.Host == "db" && ev.Step == fleet.Build
		})
		fx.inv.Hosts = fx.inv.Hosts[1:]
		fx.attach()
		fx.expect("web", fleet.Unknown, "inventory")
		fx.expect("db", fleet.Switched, "")
	})
}

func TestWatcherSeesSameEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "a", "b")
		fx.hosts["b"].log = append(fullLog(switched)[:3:3], logPart{
			10100 * time.Millisecond, "last line\nNONCE step build failed\nNONCE end failed build build x\n",
		})
		var watched []fleet.Event
		var watching sync.WaitGroup
		summary := fx.runWith(t.Context(), fleet.Options{}, func(ev fleet.Event) {
			if ev.Type != fleet.StepStarted || ev.Step != fleet.Pull || ev.Host != "a" {
				return
			}
			watching.Go(func() {
				sink := func(ev fleet.Event) { watched = append(watched, ev) }
				summary, err := fx.another().Attach(t.Context(), fx.record(), fx.inv, sink)
				if err != nil || summary.ExitCode != fleet.ExitFailed {
					t.Errorf("the watcher returned %+v, %v", summary, err)
				}
			})
		})
		watching.Wait()
		fx.expectExit(summary, fleet.ExitFailed)
		for _, host := range []string{"a", "b"} {
			if got, want := trace(watched, host), fx.trace(host); got != want {
				t.Errorf("%s: the watcher saw\n%s\nwant\n%s", host, got, want)
			}
			own, lines := fx.lines(host), (&fixture{events: watched}).lines(host)
			if lines != own {
				t.Errorf("%s: the watcher saw the lines\n%s\nwant\n%s", host, lines, own)
			}
		}
		if fx.hosts["a"].started != 1 || fx.hosts["a"].logins != 2 {
			t.Errorf("%d jobs, %d logins", fx.hosts["a"].started, fx.hosts["a"].logins)
		}
	})
}

func TestWatcherTakesOverAbandonedRun(t *testing.T) {
	for _, step := range []fleet.Step{fleet.Pull, fleet.Build, fleet.Activate, fleet.Verify} {
		t.Run("during "+string(step), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fx := newFixture(t, "web")
				var watched []fleet.Event
				var watching sync.WaitGroup
				fx.abandonAt(fleet.Options{}, func(ev fleet.Event) bool {
					if stepStarted(fleet.Preflight)(ev) {
						watching.Go(func() {
							sink := func(ev fleet.Event) { watched = append(watched, ev) }
							summary, err := fx.another().Attach(t.Context(), fx.record(), fx.inv, sink)
							if err != nil || summary.ExitCode != fleet.ExitOK {
								t.Errorf("%+v, %v", summary, err)
							}
						})
					}
					return stepStarted(step)(ev)
				})
				watching.Wait()
				fx.events = watched
				fx.expect("web", fleet.Switched, "")
				fx.expectWholeLog("web")
				if got := strings.Count(fx.lines("web"), "remote: hello"); got != 1 {
					t.Errorf("reported %d times:\n%s", got, fx.lines("web"))
				}
				if got := fx.trace("web"); strings.Count(got, "activate ok") != 1 || strings.Count(got, "before=") != 1 {
					t.Errorf("events: %s", got)
				}
			})
		})
	}
}

func TestAttachContinuesTruncatedRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "web")
		fx.abandonAt(fleet.Options{}, stepStarted(fleet.Activate))
		r := fx.record()
		f, err := os.OpenFile(r.EventsPath(), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(f, `{"time":"2026-01-01T00:00:00Z","run":%q,"seq":99,"type":"host_fin`, r.Run)
		f.Close()
		fx.attach()
		fx.expect("web", fleet.Switched, "")
		fx.expectWholeLog("web")
		if s, err := r.State(); err != nil || !s.Settled() {
			t.Errorf("on record: %+v, %v", s, err)
		}
	})
}

func TestAttachRestoresStepsMissingFromRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "web")
		fx.abandonAt(fleet.Options{}, stepStarted(fleet.Verify))
		// As if the process had been killed between writing the log and recording its events.
		b, _ := os.ReadFile(fx.record().EventsPath())
		at := strings.Index(string(b), `"step":"activate"`)
		at = strings.LastIndexByte(string(b[:at]), '\n') + 1
		if err := os.Truncate(fx.record().EventsPath(), int64(at)); err != nil {
			t.Fatal(err)
		}
		fx.attach()
		if got := fx.trace("web"); !strings.Contains(got, "built=/nix/store/x ok activate ok") && !strings.Contains(got, "activate ok verify") {
			t.Errorf("events: %s", got)
		}
		fx.expect("web", fleet.Switched, "")
	})
}

func TestAttachRejectsEmptyRecord(t *testing.T) {
	fx := newFixture(t, "web")
	r, owned, err := fx.engine.Records.Create(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	owned.Close()
	_, err = fx.engine.Attach(t.Context(), r, fx.inv, func(fleet.Event) {})
	if err == nil || !strings.Contains(err.Error(), "before it recorded anything") {
		t.Errorf("error %v", err)
	}
}

func TestCancelStopsJobsAndWaitingHosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "a", "b", "c")
		fx.hosts["b"].reply = func(verb string, _ arguments) string {
			if verb == "cancel" {
				return "refused activating"
			}
			return ""
		}
		answers := map[string]string{}
		var cancelling sync.WaitGroup
		summary := fx.runWith(t.Context(), fleet.Options{Parallel: 2}, func(ev fleet.Event) {
			if ev.Type != fleet.StepStarted || ev.Step != fleet.Build || ev.Host != "a" {
				return
			}
			cancelling.Go(func() {
				err := fx.another().Cancel(t.Context(), fx.record(), fx.inv, func(host, answer string) { answers[host] = answer })
				if err != nil {
					t.Error(err)
				}
			})
		})
		cancelling.Wait()
		fx.expectExit(summary, fleet.ExitFailed)
		fx.expect("a", fleet.Cancelled, "cancelled")
		fx.expect("b", fleet.Switched, "")
		fx.expect("c", fleet.Cancelled, "cancelled")
		if fx.hosts["c"].logins > 0 {
			t.Error("c was logged in to")
		}
		want := map[string]string{"a": "cancelled", "b": "too late: it is activating and will finish", "c": "not started, and will not be"}
		if fmt.Sprint(answers) != fmt.Sprint(want) {
			t.Errorf("answers %q", answers)
		}
		if err := fx.another().Cancel(t.Context(), fx.record(), fx.inv, func(string, string) {}); err == nil {
			t.Error("Cancel accepted a finished run")
		}
	})
}

func TestCancelReportsUnreachableHosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "a", "b")
		fx.abandonAt(fleet.Options{}, func(ev fleet.Event) bool {
			return ev.Type == fleet.StepStarted && ev.Host == "b" && ev.Step == fleet.Build
		})
		fx.hosts["b"].onDial = always(fakeRefusal{"no route to host", true})
		answers := map[string]string{}
		err := fx.another().Cancel(t.Context(), fx.record(), fx.inv, func(host, answer string) { answers[host] = answer })
		if err == nil || !strings.Contains(err.Error(), "1 of 2 hosts") || answers["b"] != "no route to host" {
			t.Errorf("error %v, answers %q", err, answers)
		}
		fx.attach()
		fx.expect("a", fleet.Cancelled, "cancelled")
	})
}

func TestRecordsArePrivate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "web")
		fx.run(fleet.Options{})
		seen := 0
		filepath.WalkDir(fx.record().Dir, func(path string, d os.DirEntry, err error) error {
			info, _ := d.Info()
			if info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s has mode %v", path, info.Mode())
			}
			seen++
			return err
		})
		if seen != 6 {
			t.Errorf("%d files and directories", seen)
		}
	})
}

// killAt is like abandonAt, but also discards everything that is recorded after the event.
func (fx *fixture) killAt(o fleet.Options, when func(fleet.Event) bool) {
	fx.t.Helper()
	dir := fx.t.TempDir()
	fx.abandonAt(o, func(ev fleet.Event) bool {
		if !when(ev) {
			return false
		}
		if err := os.CopyFS(dir, os.DirFS(fx.engine.Records.Dir)); err != nil {
			fx.t.Error(err)
		}
		return true
	})
	fx.engine.Records.Dir = dir
}
