package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/internal/hint"
)

func TestDeployReportsEveryEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "web")
		fx.expectExit(fx.run(fleet.Options{}), fleet.ExitOK)
		want := "connect ok preflight before=" + rev1 + " ok pull pull=advanced 1 ok build built=/nix/store/x ok activate ok " +
			"verify generation=42 after=" + rev2 + " ok switched"
		if got := fx.trace("web"); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if got, want := fx.lines("web"), "out: remote: hello\nout: activating the configuration...\nout: no newline here"; got != want {
			t.Errorf("lines %q, want %q", got, want)
		}
		r := fx.result("web")
		if r.Before != rev1 || r.After != rev2 || r.Generation != 42 || r.Seconds != 7 {
			t.Errorf("%+v", r)
		}
		fx.expectWholeLog("web")
		if s := fx.state(); s.Start.Revision != rev2 || s.Summary == nil || !s.Settled() || s.Host("web").Progress.Builds != 3 {
			t.Errorf("at the end: %+v, web %+v", s, s.Host("web"))
		}
	})
}

func TestOutcomesHaveCodeAndExitStatus(t *testing.T) {
	offline := fakeRefusal{"no route to host", true}
	for _, tt := range []struct {
		name    string
		set     func(fx *fixture, h *fakeHost)
		outcome fleet.Outcome
		code    string
		exit    int
		hint    string
	}{
		{"up to date", func(_ *fixture, h *fakeHost) {
			h.log = fullLog("unchanged - verify already runs")
		}, fleet.Unchanged, "", 0, ""},
		{"units failed", func(_ *fixture, h *fakeHost) {
			h.log = fullLog("degraded units verify switched, but units failed: nginx.service")
		}, fleet.Degraded, "units", 1, "systemctl"},
		{"reboot needed", func(_ *fixture, h *fakeHost) {
			h.log = fullLog("reboot-needed reboot verify at the next boot")
		}, fleet.RebootNeeded, "reboot", 0, "reboot"},
		{"dirty checkout", func(_ *fixture, h *fakeHost) {
			h.log = failLog("pull", "dirty", "has changes")
		}, fleet.Failed, "dirty", 1, "commit"},
		{"build error", func(_ *fixture, h *fakeHost) {
			h.log = failLog("build", "build", "exit 1")
		}, fleet.Failed, "build", 1, "push, and deploy again"},
		{"offline", func(_ *fixture, h *fakeHost) { h.onDial = always(offline) }, fleet.Unreachable, "offline", 3, "check"},
		{"black hole", func(_ *fixture, h *fakeHost) { h.onDial = always(errBlackHole) }, fleet.Unreachable, "offline", 3, ""},
		{"offline and skipped", func(fx *fixture, h *fakeHost) {
			h.onDial = always(offline)
			fx.inv.Hosts[0].SkipOffline = true
		}, fleet.Skipped, "offline", 0, ""},
		{"changed host key", func(fx *fixture, h *fakeHost) {
			h.onDial = always(fakeRefusal{"another key\nthan known", false})
			fx.inv.Hosts[0].SkipOffline = true
		}, fleet.Failed, "host-key-changed", 1, "check"},
		{"locked by another operator", replies("refused locked job=x.web who=you@there since=1795000000 step=build"),
			fleet.Failed, "locked", 1, "cancel"},
		{"no sudo", replies("refused no-sudo"), fleet.Failed, "no-sudo", 1, "sudo"},
		{"broken login shell", replies("nothing"), fleet.Failed, "shell", 1, "shell"},
		{"unknown header", replies("dancing"), fleet.Unknown, "protocol", 3, "attach"},
		{"unknown outcome", func(_ *fixture, h *fakeHost) {
			h.log = fullLog("improved - verify better than ever")
		}, fleet.Unknown, "protocol", 3, "attach"},
		{"sudo password without an operator", func(_ *fixture, h *fakeHost) { h.sudo = "x" }, fleet.Failed, "sudo-password", 1, "sudo"},
		{"job killed on the host", func(_ *fixture, h *fakeHost) {
			h.log = []logPart{{0, "NONCE step build start\n"}, {time.Minute, "\nNONCE end failed died build the job was ended from outside\n"}}
		}, fleet.Failed, "died", 1, "restarted"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fx := newFixture(t, "web")
				tt.set(fx, fx.hosts["web"])
				summary := fx.run(fleet.Options{})
				fx.expect("web", tt.outcome, fleet.Code(tt.code))
				fx.expectExit(summary, tt.exit)
				r := fx.result("web")
				if !strings.Contains(r.Hint, tt.hint) || strings.Contains(r.Reason+r.Hint, "\n") {
					t.Errorf("reason %q, hint %q", r.Reason, r.Hint)
				}
				if (tt.outcome == fleet.Failed || tt.outcome == fleet.Unreachable) && (r.Reason == "" || r.Step == "") {
					t.Errorf("failure without reason or step: %+v", r)
				}
			})
		})
	}
}

func always(err error) func(int) error { return func(int) error { return err } }

func replies(words string) func(*fixture, *fakeHost) {
	return func(_ *fixture, h *fakeHost) {
		h.reply = func(string, arguments) string { return words }
	}
}

func TestFailureDoesNotAffectOtherHosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "a", "b", "c")
		fx.hosts["b"].log = failLog("build", "build", "exit 1")
		fx.hosts["c"].onDial = always(fakeRefusal{"gone", true})
		fx.expectExit(fx.run(fleet.Options{}), fleet.ExitFailed)
		fx.expect("a", fleet.Switched, "")
		fx.expect("b", fleet.Failed, "build")
		fx.expect("c", fleet.Unreachable, "offline")
	})
}

func TestSudoPasswordPromptRepeatsAfterRejection(t *testing.T) {
	for _, tt := range []struct {
		name    string
		entered []string
		outcome fleet.Outcome
		prompts int
	}{
		{"correct", []string{"secret"}, fleet.Switched, 1},
		{"correct at the third attempt", []string{"no", "neither", "secret"}, fleet.Switched, 3},
		{"never correct", []string{"no", "neither", "nor", "secret"}, fleet.Failed, 3},
		{"declined", nil, fleet.Failed, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fx := newFixture(t, "web")
				fx.hosts["web"].sudo = "secret"
				prompted := 0
				fx.engine.SudoPassword = func(_ context.Context, host string, again bool) (string, error) {
					if again != (prompted > 0) || host != "web" {
						t.Errorf("prompt %d for %s: again is %v", prompted, host, again)
					}
					prompted++
					// no deadline includes the time that a person takes
					time.Sleep(10 * time.Minute)
					if prompted > len(tt.entered) {
						return "", errors.New("no password was given")
					}
					return tt.entered[prompted-1], nil
				}
				fx.run(fleet.Options{})
				if got := fx.result("web"); got.Outcome != tt.outcome || prompted != tt.prompts {
					t.Errorf("%s (%s) after %d prompts, want %s after %d", got.Outcome, got.Reason, prompted, tt.outcome, tt.prompts)
				}
				if len(fx.hosts["web"].passwords) != min(tt.prompts, len(tt.entered)) {
					t.Errorf("the host got %q", fx.hosts["web"].passwords)
				}
			})
		})
	}
}

func TestAllHostsGetSameRevision(t *testing.T) {
	const rev3 = "abcdef7890abcdef7890abcdef7890abcdef7890"
	named := func(_ context.Context, from fleet.Source, name string) (fleet.Revision, error) {
		if from.Remote != "git@example.com:cfg.git" || from.Branch != "main" || name != "try" {
			return fleet.Revision{}, fmt.Errorf("asked %+v for %q", from, name)
		}
		return fleet.Revision{Commit: rev3, Ref: "refs/heads/try"}, nil
	}
	for _, tt := range []struct {
		name      string
		git       LocalGit
		o         fleet.Options
		want, ref string
	}{
		{"from the operator's git", gitReports(rev1), fleet.Options{}, rev1, ""},
		{"as given", nil, fleet.Options{Rev: strings.ToUpper(rev3)}, rev3, rev3},
		{"as pinned", nil, fleet.Options{Pinned: fleet.Revision{Commit: rev3}}, rev3, ""},
		{"named", named, fleet.Options{Rev: "try"}, rev3, "refs/heads/try"},
		{"none", nil, fleet.Options{NoPull: true}, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fx := newFixture(t, "a", "b", "c")
				fx.engine.LocalGit = tt.git
				fx.expectExit(fx.run(tt.o), fleet.ExitOK)
				for name, h := range fx.hosts {
					if got := h.launched[0]; got["rev"] != tt.want || got["ref"] != tt.ref {
						t.Errorf("%s got %q, named %q; want %q, named %q", name, got["rev"], got["ref"], tt.want, tt.ref)
					}
				}
				if start := fx.state().Start; start.Revision != tt.want || start.Named != tt.ref {
					t.Errorf("the run's revision is %q, named %q", start.Revision, start.Named)
				}
			})
		})
	}
}

// TestNoHostDecidesRevision checks that a run takes its commit from no host, even if the operator's
// git reports none.
func TestNoHostDecidesRevision(t *testing.T) {
	for name, git := range map[string]LocalGit{
		"no git": nil,
		"git fails": func(context.Context, fleet.Source, string) (fleet.Revision, error) {
			return fleet.Revision{}, errors.New("no access")
		},
		"git hangs": func(ctx context.Context, _ fleet.Source, _ string) (fleet.Revision, error) {
			<-ctx.Done()
			return fleet.Revision{}, ctx.Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fx := newFixture(t, "a", "b")
				fx.engine.LocalGit = git
				_, err := fx.engine.Run(t.Context(), fx.plan(fleet.Options{}), func(fleet.Event) { t.Error("the run started") })
				if _, unreadable := errors.AsType[*UnreadableError](err); !unreadable || !strings.Contains(hint.Of(err), "--rev") {
					t.Errorf("error %v, hint %q", err, hint.Of(err))
				}
				if fx.hosts["a"].logins+fx.hosts["b"].logins > 0 {
					t.Error("a host was asked")
				}
			})
		})
	}
}

func TestHostThatIgnoresGoDoesNotHoldUpOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "bad", "good")
		for _, h := range fx.hosts {
			h.log = confirmLog(time.Minute)
		}
		fx.hosts["bad"].ignores = func(word string) bool { return word == "go" }
		began := time.Now()
		fx.expectExit(fx.run(fleet.Options{Parallel: 1}), fleet.ExitUnreachable)
		fx.expect("bad", fleet.Unknown, fleet.CodeDeadline)
		if took := time.Since(began); took > 10*time.Minute {
			t.Errorf("the run took %v", took)
		}
	})
}

func TestRunRejectsUnknownRevisionName(t *testing.T) {
	for name, git := range map[string]LocalGit{
		"none": gitReports(""),
		"git fails": func(context.Context, fleet.Source, string) (fleet.Revision, error) {
			return fleet.Revision{}, errors.New("no such thing")
		},
	} {
		fx := newFixture(t, "web")
		fx.engine.LocalGit = git
		_, err := fx.engine.Run(t.Context(), fx.plan(fleet.Options{Rev: "v1.x"}), func(fleet.Event) { t.Error("the run started") })
		if err == nil || !strings.Contains(err.Error(), `"v1.x"`) || !strings.Contains(hint.Of(err), "40 hex digits") {
			t.Errorf("%s: error %v", name, err)
		}
		if all, _ := fx.engine.Records.List(); len(all) != 0 {
			t.Error("the run left a record")
		}
	}
}

func TestParallelLimitsRunningHosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "a", "b", "c", "d", "e", "f", "g")
		running, most := 0, 0
		fx.runWith(t.Context(), fleet.Options{Parallel: 3}, func(ev fleet.Event) {
			switch {
			case ev.Type == fleet.StepStarted && ev.Step == fleet.Connect:
				running++
			case ev.Type == fleet.HostFinished:
				running--
			}
			most = max(most, running)
		})
		if most != 3 {
			t.Errorf("%d hosts at once", most)
		}
	})
}

func TestProgressPrecedesEndOfStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "web")
		build := &fx.hosts["web"].log[4]
		build.text = strings.Replace(build.text, "@nix", "@nix {\"action\":\"result\",\"id\":1,\"type\":105,\"fields\":[2,3,1,0]}\n@nix", 1)
		var atEnd int
		fx.runWith(t.Context(), fleet.Options{}, func(ev fleet.Event) {
			if ev.Type == fleet.StepFinished && ev.Step == fleet.Build {
				atEnd = fx.state().Host("web").Progress.Builds
			}
		})
		if atEnd != 3 {
			t.Errorf("at the end of the step, progress was %d", atEnd)
		}
	})
}

func TestProgressIsThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fx := newFixture(t, "web")
		progress := func(built string) string {
			return `@nix {"action":"result","id":1,"type":105,"fields":[` + built + ",99,1,0]}\n"
		}
		log := []logPart{{0, "NONCE step build start\n" +
			`@nix {"action":"start","id":1,"level":3,"type":104,"text":"","parent":0}` + "\n"}}
		for i := range 1000 {
			log = append(log, logPart{time.Millisecond, progress(strings.Repeat("1", 1+i/500))})
		}
		log[len(log)-1].text = progress("77")
		fx.hosts["web"].log = append(log, logPart{time.Minute, "NONCE end failed build build x\n"})
		fx.run(fleet.Options{})
		sent, last := 0, fleet.Event{}
		for _, ev := range fx.events {
			if ev.Type == fleet.ProgressMade {
				sent++
				last = ev
			}
		}
		if sent > 12 {
			t.Errorf("%d progress events in a second", sent)
		}
		if last.Progress.Builds != 77 || fx.events[len(fx.events)-1].Time.Sub(last.Time) < 50*time.Second {
			t.Errorf("the last progress is %+v", last.Progress)
		}
	})
}
