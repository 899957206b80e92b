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

// leaveAt runs until an event says so, and leaves as if killed: without a word.
func (w *world) leaveAt(o fleet.Options, when func(fleet.Event) bool) {
	w.t.Helper()
	ctx, leave := context.WithCancel(w.t.Context())
	defer leave()
	w.runWith(ctx, o, func(ev fleet.Event) {
		if when(ev) {
			leave()
		}
	})
}

func atStep(s fleet.Step) func(fleet.Event) bool {
	return func(ev fleet.Event) bool { return ev.Type == fleet.StepStarted && ev.Step == s }
}

func TestAttachGoesOnWhereTheOperatorLeft(t *testing.T) {
	var whole, lines string
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web")
		w.run(fleet.Options{})
		whole, lines = w.story("web"), w.lines("web")
	})
	for _, step := range []fleet.Step{fleet.Connect, fleet.Preflight, fleet.Pull, fleet.Build, fleet.Activate, fleet.Verify} {
		t.Run("left at "+string(step), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, "web")
				if step == fleet.Connect {
					w.hosts["web"].dials = func(int) error { time.Sleep(time.Second); return nil }
				}
				w.leaveAt(fleet.Options{}, atStep(step))
				time.Sleep(time.Minute) // the job ends meanwhile
				if step == fleet.Connect {
					w.expectExit(w.attach(), fleet.ExitInterrupted)
					w.expect("web", fleet.Skipped, "interrupted")
					return
				}
				w.expectExit(w.attach(), fleet.ExitOK)
				w.expect("web", fleet.Switched, "")
				w.expectWholeLog("web")
				if w.hosts["web"].started != 1 {
					t.Errorf("%d jobs", w.hosts["web"].started)
				}
				if w.lines("web") != lines {
					t.Errorf("attach shows the lines\n%s\nwant\n%s", w.lines("web"), lines)
				}
				if s, err := w.record().State(); err != nil || !s.Settled() || s.Summary == nil {
					t.Errorf("on record: %+v, %v", s, err)
				}
				recorded := []fleet.Event{}
				w.record().Replay(func(ev fleet.Event) { recorded = append(recorded, ev) })
				for what, events := range map[string][]fleet.Event{"shown": w.events, "recorded": recorded} {
					got := strings.Replace(story(events, "web"), "reconnect=lost reconnect=back ", "", 1)
					if got != whole {
						t.Errorf("%s:\n got %s\nwant %s", what, got, whole)
					}
				}
			})
		})
	}
}

func TestAttachSkipsWhatWasNeverBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "a", "b", "dns")
		w.host("dns").Wave = 2
		w.leaveAt(fleet.Options{Parallel: 1}, atStep(fleet.Build))
		w.expectExit(w.attach(), fleet.ExitInterrupted)
		w.expect("a", fleet.Switched, "")
		for _, name := range []string{"b", "dns"} {
			w.expect(name, fleet.Skipped, "interrupted")
			if w.hosts[name].logins > 0 {
				t.Errorf("%s was logged in to", name)
			}
		}
	})
}

func TestAttachSettlesAnUnknownHostOfAFinishedRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web", "db")
		h := w.hosts["web"]
		h.cut = once(0, 200)
		away := true
		h.dials = func(n int) error {
			if n > 0 && away {
				return fakeRefusal{"no route to host", true}
			}
			return nil
		}
		w.expectExit(w.run(fleet.Options{}), fleet.ExitUnreachable)
		w.expect("web", fleet.Unknown, "lost")
		away = false
		w.expectExit(w.attach(), fleet.ExitOK)
		w.expect("web", fleet.Switched, "")
		w.expectWholeLog("web")
		if s := w.state(); s.Summary == nil || s.Summary.ExitCode != fleet.ExitOK || s.Summary.Counts[fleet.Switched] != 2 {
			t.Errorf("summary %+v", s.Summary)
		}
	})
}

func TestAttachToAFinishedRunShowsItAndTouchesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web")
		w.run(fleet.Options{})
		before, _ := os.ReadFile(w.record().EventsPath())
		logins, whole := w.hosts["web"].logins, w.story("web")
		w.expectExit(w.attach(), fleet.ExitOK)
		if got := w.story("web"); got != whole {
			t.Errorf("got %s", got)
		}
		if after, _ := os.ReadFile(w.record().EventsPath()); string(after) != string(before) || w.hosts["web"].logins != logins {
			t.Error("it changed something")
		}
	})
}

func TestAttachNeedsTheHostOnlyForWhatTheLogDoesNotTell(t *testing.T) {
	for _, tt := range []struct {
		name    string
		log     []piece
		outcome fleet.Outcome
	}{
		{"a build that failed", append(steps("")[:2:2], piece{5 * time.Second, broken("build", "build", "x")[0].text}), fleet.Failed},
		{"a switch, whose new login was not tried", steps(switched), fleet.Unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, "web")
				w.hosts["web"].log = tt.log
				w.leaveAt(fleet.Options{}, atStep(fleet.Pull))
				time.Sleep(time.Minute)
				// The log reached the record, and the process was killed before it recorded more.
				whole := w.hosts["web"].job(w.record().Run + ".web").all()
				if err := os.WriteFile(w.record().LogPath("web"), []byte(whole), 0o600); err != nil {
					t.Fatal(err)
				}
				w.hosts["web"].dials = always(fakeRefusal{"no route to host", true})
				w.attach()
				if r := w.result("web"); r.Outcome != tt.outcome {
					t.Errorf("%+v", r)
				}
			})
		})
	}
}

func TestAttachWithoutTheHostInTheInventorySaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web", "db")
		w.leaveAt(fleet.Options{}, func(ev fleet.Event) bool {
			return ev.Type == fleet.StepStarted && ev.Host == "db" && ev.Step == fleet.Build
		})
		w.inv.Hosts = w.inv.Hosts[1:]
		w.attach()
		w.expect("web", fleet.Unknown, "inventory")
		w.expect("db", fleet.Switched, "")
	})
}

func TestASecondProcessWatchesAndSeesTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "a", "b")
		w.hosts["b"].log = append(steps(switched)[:3:3], piece{10100 * time.Millisecond, "its last words\nNONCE step build failed\nNONCE end failed build build x\n"})
		var watched []fleet.Event
		var watching sync.WaitGroup
		summary := w.runWith(t.Context(), fleet.Options{}, func(ev fleet.Event) {
			if ev.Type != fleet.StepStarted || ev.Step != fleet.Pull || ev.Host != "a" {
				return
			}
			watching.Go(func() {
				summary, err := w.another().Attach(t.Context(), w.record(), w.inv, func(ev fleet.Event) { watched = append(watched, ev) })
				if err != nil || summary.ExitCode != fleet.ExitFailed {
					t.Errorf("the watcher ends with %+v, %v", summary, err)
				}
			})
		})
		watching.Wait()
		w.expectExit(summary, fleet.ExitFailed)
		for _, host := range []string{"a", "b"} {
			if got, want := story(watched, host), w.story(host); got != want {
				t.Errorf("%s as watched:\n got %s\nwant %s", host, got, want)
			}
			own, lines := w.lines(host), (&world{events: watched}).lines(host)
			if lines != own {
				t.Errorf("%s: lines as watched:\n%s\nwant\n%s", host, lines, own)
			}
		}
		if w.hosts["a"].started != 1 || w.hosts["a"].logins != 2 {
			t.Errorf("%d jobs, %d logins", w.hosts["a"].started, w.hosts["a"].logins)
		}
	})
}

func TestAWatcherTakesOverWhenTheOwnerGoesAway(t *testing.T) {
	for _, step := range []fleet.Step{fleet.Pull, fleet.Build, fleet.Activate, fleet.Verify} {
		t.Run("at "+string(step), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, "web")
				var watched []fleet.Event
				var watching sync.WaitGroup
				w.leaveAt(fleet.Options{}, func(ev fleet.Event) bool {
					if atStep(fleet.Preflight)(ev) {
						watching.Go(func() {
							summary, err := w.another().Attach(t.Context(), w.record(), w.inv, func(ev fleet.Event) { watched = append(watched, ev) })
							if err != nil || summary.ExitCode != fleet.ExitOK {
								t.Errorf("%+v, %v", summary, err)
							}
						})
					}
					return atStep(step)(ev)
				})
				watching.Wait()
				w.events = watched
				w.expect("web", fleet.Switched, "")
				w.expectWholeLog("web")
				if got := strings.Count(w.lines("web"), "remote: hello"); got != 1 {
					t.Errorf("shown %d times:\n%s", got, w.lines("web"))
				}
				if got := w.story("web"); strings.Count(got, "activate ok") != 1 || strings.Count(got, "before=") != 1 {
					t.Errorf("story: %s", got)
				}
			})
		})
	}
}

func TestATornRecordIsGoneOnWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web")
		w.leaveAt(fleet.Options{}, atStep(fleet.Activate))
		r := w.record()
		f, err := os.OpenFile(r.EventsPath(), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(f, `{"time":"2026-01-01T00:00:00Z","run":%q,"seq":99,"type":"host_fin`, r.Run)
		f.Close()
		w.attach()
		w.expect("web", fleet.Switched, "")
		w.expectWholeLog("web")
		if s, err := r.State(); err != nil || !s.Settled() {
			t.Errorf("on record: %+v, %v", s, err)
		}
	})
}

func TestAttachTellsStepsThatTheRecordLacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web")
		w.leaveAt(fleet.Options{}, atStep(fleet.Verify))
		// As if the process had been killed between writing the log and recording what it said.
		b, _ := os.ReadFile(w.record().EventsPath())
		at := strings.Index(string(b), `"step":"activate"`)
		at = strings.LastIndexByte(string(b[:at]), '\n') + 1
		if err := os.Truncate(w.record().EventsPath(), int64(at)); err != nil {
			t.Fatal(err)
		}
		w.attach()
		if got := w.story("web"); !strings.Contains(got, "built=/nix/store/x ok activate ok") && !strings.Contains(got, "activate ok verify") {
			t.Errorf("story: %s", got)
		}
		w.expect("web", fleet.Switched, "")
	})
}

func TestAnEmptyRecordIsNoRun(t *testing.T) {
	w := newWorld(t, "web")
	r, owned, err := w.engine.Records.Create(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	owned.Close()
	if _, err := w.engine.Attach(t.Context(), r, w.inv, func(fleet.Event) {}); err == nil || !strings.Contains(err.Error(), "before it recorded anything") {
		t.Errorf("error %v", err)
	}
}

func TestCancelEndsJobsAndKeepsWaitingHostsFromBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "a", "b", "c")
		w.hosts["b"].says = func(verb string, _ arguments) string {
			if verb == "cancel" {
				return "refused activating"
			}
			return ""
		}
		answers := map[string]string{}
		var cancelling sync.WaitGroup
		summary := w.runWith(t.Context(), fleet.Options{Parallel: 2}, func(ev fleet.Event) {
			if ev.Type != fleet.StepStarted || ev.Step != fleet.Build || ev.Host != "a" {
				return
			}
			cancelling.Go(func() {
				err := w.another().Cancel(t.Context(), w.record(), w.inv, func(host, answer string) { answers[host] = answer })
				if err != nil {
					t.Error(err)
				}
			})
		})
		cancelling.Wait()
		w.expectExit(summary, fleet.ExitFailed)
		w.expect("a", fleet.Cancelled, "cancelled")
		w.expect("b", fleet.Switched, "")
		w.expect("c", fleet.Cancelled, "cancelled")
		if w.hosts["c"].logins > 0 {
			t.Error("c was logged in to")
		}
		want := map[string]string{"a": "cancelled", "b": "too late: it is activating and will finish", "c": "not started, and will not be"}
		if fmt.Sprint(answers) != fmt.Sprint(want) {
			t.Errorf("answers %q", answers)
		}
		if err := w.another().Cancel(t.Context(), w.record(), w.inv, func(string, string) {}); err == nil {
			t.Error("a run that has ended was cancelled")
		}
	})
}

func TestCancelSaysWhichHostsItCouldNotAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "a", "b")
		w.leaveAt(fleet.Options{}, func(ev fleet.Event) bool {
			return ev.Type == fleet.StepStarted && ev.Host == "b" && ev.Step == fleet.Build
		})
		w.hosts["b"].dials = always(fakeRefusal{"no route to host", true})
		answers := map[string]string{}
		err := w.another().Cancel(t.Context(), w.record(), w.inv, func(host, answer string) { answers[host] = answer })
		if err == nil || !strings.Contains(err.Error(), "1 of 2 hosts") || answers["b"] != "no route to host" {
			t.Errorf("error %v, answers %q", err, answers)
		}
		w.attach()
		w.expect("a", fleet.Cancelled, "cancelled")
	})
}

func TestRecordsArePrivate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web")
		w.run(fleet.Options{})
		seen := 0
		filepath.WalkDir(w.record().Dir, func(path string, d os.DirEntry, err error) error {
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

// killAt runs until an event, and keeps of the record what was there then: the process says nothing more.
func (w *world) killAt(o fleet.Options, when func(fleet.Event) bool) {
	w.t.Helper()
	dir := w.t.TempDir()
	w.leaveAt(o, func(ev fleet.Event) bool {
		if !when(ev) {
			return false
		}
		if err := os.CopyFS(dir, os.DirFS(w.engine.Records.Dir)); err != nil {
			w.t.Error(err)
		}
		return true
	})
	w.engine.Records.Dir = dir
}
