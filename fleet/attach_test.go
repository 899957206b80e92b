package fleet

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
)

// leaveAt runs until an event says so, and leaves as if killed: without a word.
func (w *world) leaveAt(o Options, when func(Event) bool) {
	w.t.Helper()
	ctx, leave := context.WithCancel(w.t.Context())
	defer leave()
	w.runWith(ctx, o, func(ev Event) {
		if when(ev) {
			leave()
		}
	})
}

func atStep(s Step) func(Event) bool {
	return func(ev Event) bool { return ev.Type == StepStarted && ev.Step == s }
}

func TestAttachGoesOnWhereTheOperatorLeft(t *testing.T) {
	var whole, lines string
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web")
		w.run(Options{})
		whole, lines = w.story("web"), w.lines("web")
	})
	for _, step := range []Step{Connect, Preflight, Pull, Build, Activate, Verify} {
		t.Run("left at "+string(step), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, "web")
				if step == Connect {
					w.hosts["web"].dials = func(int) error { time.Sleep(time.Second); return nil }
				}
				w.leaveAt(Options{}, atStep(step))
				time.Sleep(time.Minute) // the job ends meanwhile
				if step == Connect {
					w.expectExit(w.attach(), ExitInterrupted)
					w.expect("web", Skipped, "interrupted")
					return
				}
				w.expectExit(w.attach(), ExitOK)
				w.expect("web", Switched, "")
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
				recorded := []Event{}
				w.record().Replay(func(ev Event) { recorded = append(recorded, ev) })
				for what, events := range map[string][]Event{"shown": w.events, "recorded": recorded} {
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
		w.leaveAt(Options{Parallel: 1}, atStep(Build))
		w.expectExit(w.attach(), ExitInterrupted)
		w.expect("a", Switched, "")
		for _, name := range []string{"b", "dns"} {
			w.expect(name, Skipped, "interrupted")
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
		w.expectExit(w.run(Options{}), ExitUnreachable)
		w.expect("web", Unknown, "lost")
		away = false
		w.expectExit(w.attach(), ExitOK)
		w.expect("web", Switched, "")
		w.expectWholeLog("web")
		if s := w.state(); s.Summary == nil || s.Summary.ExitCode != ExitOK || s.Summary.Counts[Switched] != 2 {
			t.Errorf("summary %+v", s.Summary)
		}
	})
}

func TestAttachToAFinishedRunShowsItAndTouchesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web")
		w.run(Options{})
		before, _ := os.ReadFile(w.record().events())
		logins, whole := w.hosts["web"].logins, w.story("web")
		w.expectExit(w.attach(), ExitOK)
		if got := w.story("web"); got != whole {
			t.Errorf("got %s", got)
		}
		if after, _ := os.ReadFile(w.record().events()); string(after) != string(before) || w.hosts["web"].logins != logins {
			t.Error("it changed something")
		}
	})
}

func TestAttachNeedsTheHostOnlyForWhatTheLogDoesNotTell(t *testing.T) {
	for _, tt := range []struct {
		name    string
		log     []piece
		outcome Outcome
	}{
		{"a build that failed", append(steps("")[:2:2], piece{5 * time.Second, broken("build", "build", "x")[0].text}), Failed},
		{"a switch, whose new login was not tried", steps(switched), Unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, "web")
				w.hosts["web"].log = tt.log
				w.leaveAt(Options{}, atStep(Pull))
				time.Sleep(time.Minute)
				// The log reached the record, and the process was killed before it recorded more.
				whole := w.hosts["web"].job(w.record().Run + ".web").all()
				if err := os.WriteFile(w.record().log("web"), []byte(whole), 0o600); err != nil {
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
		w.leaveAt(Options{}, func(ev Event) bool { return ev.Type == StepStarted && ev.Host == "db" && ev.Step == Build })
		w.inv.Hosts = w.inv.Hosts[1:]
		w.attach()
		w.expect("web", Unknown, "inventory")
		w.expect("db", Switched, "")
	})
}

func TestASecondProcessWatchesAndSeesTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "a", "b")
		w.hosts["b"].log = append(steps(switched)[:3:3], piece{10100 * time.Millisecond, "its last words\nNONCE step build failed\nNONCE end failed build build x\n"})
		var watched []Event
		var watching sync.WaitGroup
		summary := w.runWith(t.Context(), Options{}, func(ev Event) {
			if ev.Type != StepStarted || ev.Step != Pull || ev.Host != "a" {
				return
			}
			watching.Go(func() {
				summary, err := w.another().Attach(t.Context(), w.record(), w.inv, func(ev Event) { watched = append(watched, ev) })
				if err != nil || summary.ExitCode != ExitFailed {
					t.Errorf("the watcher ends with %+v, %v", summary, err)
				}
			})
		})
		watching.Wait()
		w.expectExit(summary, ExitFailed)
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
	for _, step := range []Step{Pull, Build, Activate, Verify} {
		t.Run("at "+string(step), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, "web")
				var watched []Event
				var watching sync.WaitGroup
				w.leaveAt(Options{}, func(ev Event) bool {
					if atStep(Preflight)(ev) {
						watching.Go(func() {
							summary, err := w.another().Attach(t.Context(), w.record(), w.inv, func(ev Event) { watched = append(watched, ev) })
							if err != nil || summary.ExitCode != ExitOK {
								t.Errorf("%+v, %v", summary, err)
							}
						})
					}
					return atStep(step)(ev)
				})
				watching.Wait()
				w.events = watched
				w.expect("web", Switched, "")
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
		w.leaveAt(Options{}, atStep(Activate))
		r := w.record()
		f, err := os.OpenFile(r.events(), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(f, `{"time":"2026-01-01T00:00:00Z","run":%q,"seq":99,"type":"host_fin`, r.Run)
		f.Close()
		w.attach()
		w.expect("web", Switched, "")
		w.expectWholeLog("web")
		if s, err := r.State(); err != nil || !s.Settled() {
			t.Errorf("on record: %+v, %v", s, err)
		}
	})
}

func TestAttachTellsStepsThatTheRecordLacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web")
		w.leaveAt(Options{}, atStep(Verify))
		// As if the process had been killed between writing the log and recording what it said.
		b, _ := os.ReadFile(w.record().events())
		at := strings.Index(string(b), `"step":"activate"`)
		at = strings.LastIndexByte(string(b[:at]), '\n') + 1
		if err := os.Truncate(w.record().events(), int64(at)); err != nil {
			t.Fatal(err)
		}
		w.attach()
		if got := w.story("web"); !strings.Contains(got, "built=/nix/store/x ok activate ok") && !strings.Contains(got, "activate ok verify") {
			t.Errorf("story: %s", got)
		}
		w.expect("web", Switched, "")
	})
}

func TestAnEmptyRecordIsNoRun(t *testing.T) {
	w := newWorld(t, "web")
	r, owned, err := w.engine.Records.create(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	owned.close()
	if _, err := w.engine.Attach(t.Context(), r, w.inv, func(Event) {}); err == nil || !strings.Contains(err.Error(), "before it began") {
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
		summary := w.runWith(t.Context(), Options{Parallel: 2}, func(ev Event) {
			if ev.Type != StepStarted || ev.Step != Build || ev.Host != "a" {
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
		w.expectExit(summary, ExitFailed)
		w.expect("a", Cancelled, "cancelled")
		w.expect("b", Switched, "")
		w.expect("c", Cancelled, "cancelled")
		if w.hosts["c"].logins > 0 {
			t.Error("c was logged in to")
		}
		want := map[string]string{"a": "cancelled", "b": "too late: it is activating, and goes on to its end", "c": "not begun, and will not be"}
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
		w.leaveAt(Options{}, func(ev Event) bool { return ev.Type == StepStarted && ev.Host == "b" && ev.Step == Build })
		w.hosts["b"].dials = always(fakeRefusal{"no route to host", true})
		answers := map[string]string{}
		err := w.another().Cancel(t.Context(), w.record(), w.inv, func(host, answer string) { answers[host] = answer })
		if err == nil || !strings.Contains(err.Error(), "1 of 2 hosts") || answers["b"] != "no route to host" {
			t.Errorf("error %v, answers %q", err, answers)
		}
		w.attach()
		w.expect("a", Cancelled, "cancelled")
	})
}

func TestRecordsArePrivate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web")
		w.run(Options{})
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
func (w *world) killAt(o Options, when func(Event) bool) {
	w.t.Helper()
	dir := w.t.TempDir()
	w.leaveAt(o, func(ev Event) bool {
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
