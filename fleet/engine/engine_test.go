package engine

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/internal/hint"
)

func TestDeployTellsAHostsWholeStory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web")
		w.expectExit(w.run(fleet.Options{}), fleet.ExitOK)
		want := "connect ok preflight before=" + rev1 + " ok pull pull=advanced 1 ok build built=/nix/store/x ok activate ok " +
			"verify generation=42 after=" + rev2 + " ok switched"
		if got := w.story("web"); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if got, want := w.lines("web"), "out: remote: hello\nout: activating the configuration...\nout: no newline here"; got != want {
			t.Errorf("lines %q, want %q", got, want)
		}
		r := w.result("web")
		if r.Before != rev1 || r.After != rev2 || r.Generation != 42 || r.Seconds != 7 {
			t.Errorf("%+v", r)
		}
		w.expectWholeLog("web")
		if s := w.state(); s.Start.Revision != rev2 || s.Summary == nil || !s.Settled() || s.Host("web").Progress.Builds != 3 {
			t.Errorf("at the end: %+v, web %+v", s, s.Host("web"))
		}
	})
}

func TestEveryOutcomeHasItsCodeAndExitStatus(t *testing.T) {
	offline := fakeRefusal{"no route to host", true}
	for _, tt := range []struct {
		name    string
		set     func(w *world, h *fakeHost)
		outcome fleet.Outcome
		code    string
		exit    int
		hint    string
	}{
		{"it already runs", func(_ *world, h *fakeHost) { h.log = steps("unchanged - verify already runs") }, fleet.Unchanged, "", 0, ""},
		{"units failed", func(_ *world, h *fakeHost) {
			h.log = steps("degraded units verify switched, but units failed: nginx.service")
		}, fleet.Degraded, "units", 1, "systemctl"},
		{"a reboot is needed", func(_ *world, h *fakeHost) { h.log = steps("reboot-needed reboot verify at the next boot") }, fleet.RebootNeeded, "reboot", 0, "reboot"},
		{"a dirty checkout", func(_ *world, h *fakeHost) { h.log = broken("pull", "dirty", "has changes") }, fleet.Failed, "dirty", 1, "commit"},
		{"a build error", func(_ *world, h *fakeHost) { h.log = broken("build", "build", "exit 1") }, fleet.Failed, "build", 1, "push, and deploy again"},
		{"nothing answers", func(_ *world, h *fakeHost) { h.dials = always(offline) }, fleet.Unreachable, "offline", 3, "look"},
		{"it answers nothing for ever", func(_ *world, h *fakeHost) { h.dials = always(errBlackHole) }, fleet.Unreachable, "offline", 3, ""},
		{"a laptop that is off", func(w *world, h *fakeHost) {
			h.dials = always(offline)
			w.inv.Hosts[0].SkipOffline = true
		}, fleet.Skipped, "offline", 0, ""},
		{"a changed host key", func(w *world, h *fakeHost) {
			h.dials = always(fakeRefusal{"another key\nthan known", false})
			w.inv.Hosts[0].SkipOffline = true
		}, fleet.Failed, "host-key-changed", 1, "look"},
		{"another operator's lock", answers("refused locked job=x.web who=you@there since=1795000000 step=build"), fleet.Failed, "locked", 1, "cancel"},
		{"no sudo", answers("refused no-sudo"), fleet.Failed, "no-sudo", 1, "sudo"},
		{"a login shell that runs nothing", answers("nothing"), fleet.Failed, "shell", 1, "shell"},
		{"a host of the future", answers("dancing"), fleet.Unknown, "protocol", 3, "attach"},
		{"an outcome of the future", func(_ *world, h *fakeHost) { h.log = steps("improved - verify better than ever") }, fleet.Unknown, "protocol", 3, "attach"},
		{"sudo wants a password, and nobody is there", func(_ *world, h *fakeHost) { h.sudo = "x" }, fleet.Failed, "sudo-password", 1, "sudo"},
		{"killed on the host", func(_ *world, h *fakeHost) {
			h.log = []piece{{0, "NONCE step build start\n"}, {time.Minute, "\nNONCE end failed died build the job was ended from outside\n"}}
		}, fleet.Failed, "died", 1, "restarted"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, "web")
				tt.set(w, w.hosts["web"])
				summary := w.run(fleet.Options{})
				w.expect("web", tt.outcome, fleet.Code(tt.code))
				w.expectExit(summary, tt.exit)
				r := w.result("web")
				if !strings.Contains(r.Hint, tt.hint) || strings.Contains(r.Reason+r.Hint, "\n") {
					t.Errorf("reason %q, hint %q", r.Reason, r.Hint)
				}
				if (tt.outcome == fleet.Failed || tt.outcome == fleet.Unreachable) && (r.Reason == "" || r.Step == "") {
					t.Errorf("a failure without its reason or step: %+v", r)
				}
			})
		})
	}
}

func always(err error) func(int) error { return func(int) error { return err } }

func answers(words string) func(*world, *fakeHost) {
	return func(_ *world, h *fakeHost) {
		h.says = func(string, arguments) string { return words }
	}
}

func TestOneFailureDoesNotKeepTheOthersBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "a", "b", "c")
		w.hosts["b"].log = broken("build", "build", "exit 1")
		w.hosts["c"].dials = always(fakeRefusal{"gone", true})
		w.expectExit(w.run(fleet.Options{}), fleet.ExitFailed)
		w.expect("a", fleet.Switched, "")
		w.expect("b", fleet.Failed, "build")
		w.expect("c", fleet.Unreachable, "offline")
	})
}

func TestSudoPasswordIsAskedForAgainOnlyWhenItWasWrong(t *testing.T) {
	for _, tt := range []struct {
		name    string
		typed   []string
		outcome fleet.Outcome
		asked   int
	}{
		{"right at once", []string{"secret"}, fleet.Switched, 1},
		{"right at last", []string{"no", "neither", "secret"}, fleet.Switched, 3},
		{"wrong", []string{"no", "neither", "nor", "secret"}, fleet.Failed, 3},
		{"declined", nil, fleet.Failed, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, "web")
				w.hosts["web"].sudo = "secret"
				asked := 0
				w.engine.SudoPassword = func(_ context.Context, host string, again bool) (string, error) {
					if again != (asked > 0) || host != "web" {
						t.Errorf("question %d about %s: again is %v", asked, host, again)
					}
					asked++
					time.Sleep(10 * time.Minute) // a person thinks: no deadline is theirs
					if asked > len(tt.typed) {
						return "", errors.New("no password was given")
					}
					return tt.typed[asked-1], nil
				}
				w.run(fleet.Options{})
				if got := w.result("web"); got.Outcome != tt.outcome || asked != tt.asked {
					t.Errorf("%s (%s) after %d questions, want %s after %d", got.Outcome, got.Reason, asked, tt.outcome, tt.asked)
				}
				if len(w.hosts["web"].passwords) != min(tt.asked, len(tt.typed)) {
					t.Errorf("the host was given %q", w.hosts["web"].passwords)
				}
			})
		})
	}
}

func TestEveryHostGetsTheRevisionPinnedFirst(t *testing.T) {
	for _, tt := range []struct {
		name string
		git  func(context.Context, string, string) (string, error)
		o    fleet.Options
		want string
	}{
		{"by the operator's git", func(context.Context, string, string) (string, error) { return rev1, nil }, fleet.Options{}, rev1},
		{"by a host, where that git fails", func(context.Context, string, string) (string, error) { return "", errors.New("no access") }, fleet.Options{}, rev2},
		{"by a host, where that git hangs", func(ctx context.Context, _, _ string) (string, error) { <-ctx.Done(); return "", ctx.Err() }, fleet.Options{}, rev2},
		{"by a host, where there is no git", nil, fleet.Options{}, rev2},
		{"as given", nil, fleet.Options{Rev: strings.ToUpper("abcdef7890abcdef7890abcdef7890abcdef7890")}, "abcdef7890abcdef7890abcdef7890abcdef7890"},
		{"not at all", nil, fleet.Options{NoPull: true}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, "a", "b", "c")
				w.engine.LocalGit = tt.git
				w.expectExit(w.run(fleet.Options(tt.o)), fleet.ExitOK)
				for name, h := range w.hosts {
					if got := h.launched[0]["rev"]; got != tt.want {
						t.Errorf("%s was given %q, want %q", name, got, tt.want)
					}
				}
				if got := w.state().Start.Revision; got != tt.want {
					t.Errorf("the run's revision is %q, want %q", got, tt.want)
				}
			})
		})
	}
}

func TestHostsThatAnswerDifferentlyStillGetOneRevision(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "a", "b", "c")
		w.engine.LocalGit = nil
		for name, h := range w.hosts {
			h.says = func(verb string, _ arguments) string {
				if verb != "tip" {
					return ""
				}
				time.Sleep(time.Second) // so that all are asked before one has answered
				return "tip " + strings.Repeat(name, 40)
			}
		}
		w.run(fleet.Options{})
		pinned := w.state().Start.Revision
		for name, h := range w.hosts {
			if got := h.launched[0]["rev"]; got != pinned || got == "" {
				t.Errorf("%s was given %q, the run's revision is %q", name, got, pinned)
			}
		}
		if got := story(w.events, ""); got != "revision="+pinned {
			t.Errorf("told of the run: %s", got)
		}
	})
}

func TestARevisionByNameIsLookedUpBeforeTheRunBegins(t *testing.T) {
	w := newWorld(t, "web")
	w.engine.LocalGit = func(_ context.Context, remote, name string) (string, error) {
		return "", errors.New("no such thing")
	}
	_, err := w.engine.Run(t.Context(), w.plan(fleet.Options{Rev: "v1.x"}), func(fleet.Event) { t.Error("the run began") })
	if err == nil || !strings.Contains(err.Error(), `"v1.x"`) || !strings.Contains(hint.Of(err), "40 hex digits") {
		t.Errorf("error %v", err)
	}
	if all, _ := w.engine.Records.List(); len(all) != 0 {
		t.Error("a record was left")
	}
}

func TestParallelBoundsTheHostsAtWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "a", "b", "c", "d", "e", "f", "g")
		working, most := 0, 0
		w.runWith(t.Context(), fleet.Options{Parallel: 3}, func(ev fleet.Event) {
			switch {
			case ev.Type == fleet.StepStarted && ev.Step == fleet.Connect:
				working++
			case ev.Type == fleet.HostFinished:
				working--
			}
			most = max(most, working)
		})
		if most != 3 {
			t.Errorf("%d hosts at once", most)
		}
	})
}

func TestAStepIsNotOverBeforeItsLastProgressIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web")
		build := &w.hosts["web"].log[4]
		build.text = strings.Replace(build.text, "@nix", "@nix {\"action\":\"result\",\"id\":1,\"type\":105,\"fields\":[2,3,1,0]}\n@nix", 1)
		var atEnd int
		w.runWith(t.Context(), fleet.Options{}, func(ev fleet.Event) {
			if ev.Type == fleet.StepFinished && ev.Step == fleet.Build {
				atEnd = w.state().Host("web").Progress.Builds
			}
		})
		if atEnd != 3 {
			t.Errorf("when the build ended, %d were built", atEnd)
		}
	})
}

func TestProgressIsToldTenTimesASecondAtMostAndTheLastAlways(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "web")
		log := []piece{{0, "NONCE step build start\n@nix {\"action\":\"start\",\"id\":1,\"level\":3,\"type\":104,\"text\":\"\",\"parent\":0}\n"}}
		for i := range 1000 {
			log = append(log, piece{time.Millisecond, "@nix {\"action\":\"result\",\"id\":1,\"type\":105,\"fields\":[" + strings.Repeat("1", 1+i/500) + ",99,1,0]}\n"})
		}
		log[len(log)-1].text = "@nix {\"action\":\"result\",\"id\":1,\"type\":105,\"fields\":[77,99,1,0]}\n"
		w.hosts["web"].log = append(log, piece{time.Minute, "NONCE end failed build build x\n"})
		w.run(fleet.Options{})
		told, last := 0, fleet.Event{}
		for _, ev := range w.events {
			if ev.Type == fleet.ProgressMade {
				told++
				last = ev
			}
		}
		if told > 12 {
			t.Errorf("told %d times in a second", told)
		}
		if last.Progress.Builds != 77 || w.events[len(w.events)-1].Time.Sub(last.Time) < 50*time.Second {
			t.Errorf("the last progress told is %+v", last.Progress)
		}
	})
}
