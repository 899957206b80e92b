package engine_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/internal/demo"
	"github.com/markus-barta/nixfleet/internal/fleettest"
)

// newServedFleet has a system that another host builds, and that host.
func newServedFleet(t *testing.T) *fleettest.Fleet {
	return fleettest.New(t,
		demo.Host{Name: "small", Kind: "nixos", User: "mba", Wave: 1, Builder: "big"},
		demo.Host{Name: "big", Kind: "nixos", User: "mba", Wave: 1})
}

// expectSwitched fails the test unless every host runs the revision.
func expectSwitched(t *testing.T, state *fleet.State, rev string) {
	t.Helper()
	for _, h := range state.Hosts {
		if h.Result == nil || h.Result.Outcome != fleet.Switched || h.Result.After != rev || h.Result.Generation == 0 {
			t.Errorf("%s: %+v", h.Name, h.Result)
		}
	}
}

// buildResult returns how the job on the builder ended.
func buildResult(f *fleettest.Fleet, run string) string {
	text, _ := os.ReadFile(filepath.Join(f.Root("big"), "home/mba/.local/state/fleetctl/jobs", run+"-build.small/result"))
	return string(text)
}

func TestBuilderBuildsForSystemAndHome(t *testing.T) {
	f := fleettest.New(t,
		demo.Host{Name: "small", Kind: "nixos", User: "mba", Wave: 1, Builder: "big", SudoPassword: "hunter2"},
		demo.Host{Name: "desk", Kind: "home", User: "mba", Wave: 1, Builder: "big"},
		demo.Host{Name: "big", Kind: "nixos", User: "mba", Wave: 1})
	asked := 0
	f.Engine.SudoPassword = func(context.Context, string, bool) (string, error) {
		asked++
		return "hunter2", nil
	}
	steps := map[string]string{}
	rev, state := f.Deploy(t.Context(), func(ev fleet.Event) {
		if ev.Type == fleet.StepStarted {
			steps[ev.Host] += string(ev.Step) + " "
		}
	}, "payload 3")
	expectSwitched(t, &state, rev)
	for host, want := range map[string]string{
		"small": "connect preflight pull build copy activate verify confirm ",
		"desk":  "connect preflight pull build copy activate verify confirm ",
		"big":   "connect preflight pull build activate verify confirm ",
	} {
		if steps[host] != want {
			t.Errorf("the steps of %s are %s", host, steps[host])
		}
		f.ExpectWholeLog(state.Run, host)
		if _, err := os.Stat(f.Checkout(host, "mba")); (err == nil) != (host == "big") {
			t.Errorf("the checkout on %s: %v", host, err)
		}
	}
	if system, err := filepath.Glob(filepath.Join(f.Root("small"), "run/current-system/payload/*")); len(system) != 3 || err != nil {
		t.Errorf("the system of small has the paths %q", system)
	}
	if asked != 1 {
		t.Errorf("fleetctl prompted for the password %d times", asked)
	}
	if state := f.Run(fleet.Options{Goal: fleet.GoalRollback}); state.Host("small").Result.Outcome != fleet.Switched {
		t.Errorf("the rollback: %+v", state.Host("small").Result)
	}
}

// TestCopyContinuesAfterCuts cuts the connections of both hosts again and again.
func TestCopyContinuesAfterCuts(t *testing.T) {
	f := newServedFleet(t)
	for _, c := range newCutters(t, f) {
		c.mostCuts.Store(4)
		c.every.Store(300 << 10)
	}
	rev, state := f.Deploy(t.Context(), func(fleet.Event) {}, "payload 12")
	expectSwitched(t, &state, rev)
	f.ExpectWholeLog(state.Run, "small")
}

// TestAttachContinuesBuildAndCopyElsewhere leaves a run during each step that others take for a
// host.
func TestAttachContinuesBuildAndCopyElsewhere(t *testing.T) {
	f := newServedFleet(t)
	for _, step := range []fleet.Step{fleet.Pull, fleet.Build, fleet.Copy} {
		ctx, abandon := context.WithCancel(t.Context())
		rev, state := f.Deploy(ctx, func(ev fleet.Event) {
			if ev.Host == "small" && ev.Type == fleet.StepStarted && ev.Step == step {
				abandon()
			}
		}, "slow-build 1", "# "+string(step))
		abandon()
		if state.Settled() {
			t.Fatal("the run finished before it was abandoned")
		}
		record, err := f.Engine.Records.Open(state.Run)
		if err != nil {
			t.Fatal(err)
		}
		var seen fleet.State
		var lines strings.Builder
		summary, err := f.NewEngine(f.Engine.Records.Dir).Attach(t.Context(), record, f.Inv, func(ev fleet.Event) {
			seen.Apply(ev)
			if ev.Host == "small" {
				lines.WriteString(ev.Line + "\n")
			}
		})
		if err != nil || summary.ExitCode != fleet.ExitOK {
			t.Errorf("left during %s: %+v, %v", step, summary, err)
		}
		expectSwitched(t, &seen, rev)
		if n := strings.Count(lines.String(), "compiling unit 1"); n != 1 {
			t.Errorf("left during %s: a line of the build is shown %d times", step, n)
		}
		f.ExpectWholeLog(state.Run, "small")
	}
}

func TestCancelEndsBuildElsewhere(t *testing.T) {
	f := newServedFleet(t)
	cancelled := make(chan error, 1)
	_, state := f.Deploy(t.Context(), func(ev fleet.Event) {
		if ev.Host == "small" && ev.Type == fleet.StepStarted && ev.Step == fleet.Build {
			go func() {
				record, err := f.Engine.Records.Open(ev.Run)
				if err == nil {
					err = f.NewEngine(f.Engine.Records.Dir).Cancel(t.Context(), record, f.Inv, func(string, string) {})
				}
				cancelled <- err
			}()
		}
	}, "slow-build 60")
	if err := <-cancelled; err != nil {
		t.Error(err)
	}
	if r := state.Host("small").Result; r.Outcome != fleet.Cancelled {
		t.Errorf("%+v", *r)
	}
	if got := buildResult(f, state.Run); !strings.HasPrefix(got, "cancelled ") {
		t.Errorf("the job on the builder ended with %q", got)
	}
}

// TestProblemOfBuilderLeavesHostUntouched has builders that cannot do their part. The host is free
// afterwards.
func TestProblemOfBuilderLeavesHostUntouched(t *testing.T) {
	f := newServedFleet(t)
	system := filepath.Join(f.Root("small"), "etc/demo/system")
	before := f.Health("small").System.Deployed
	for _, tt := range []struct {
		name    string
		words   string
		set     func()
		outcome fleet.Outcome
		code    fleet.Code
		reason  string
		step    fleet.Step
	}{
		{"a build that fails", "fail-build", func() {}, fleet.Failed, "build", "on big: ", fleet.Build},
		{"another system", "", func() { write(t, system, "aarch64-linux\n") }, fleet.Failed, "wrong-system",
			`on big: Nix cannot build for aarch64-linux, only for x86_64-linux`, fleet.Preflight},
		{"a builder that is offline", "", func() {
			write(t, system, "x86_64-linux\n")
			f.Addresses["big"] = "127.0.0.1:1"
		}, fleet.Unreachable, "offline", "on big: ", fleet.Connect},
	} {
		tt.set()
		_, state := f.Deploy(t.Context(), func(fleet.Event) {}, tt.words)
		r := state.Host("small").Result
		if r.Outcome != tt.outcome || r.Code != tt.code || !strings.HasPrefix(r.Reason, tt.reason) || r.Step != tt.step {
			t.Errorf("%s: %+v", tt.name, *r)
		}
		if got := f.Health("small").System.Deployed; got != before {
			t.Errorf("%s: small runs %s", tt.name, got)
		}
	}
	delete(f.Addresses, "big")
	rev, state := f.Deploy(t.Context(), func(fleet.Event) {})
	expectSwitched(t, &state, rev)
}

// TestImportOfUntrustedUserNamesWaysOut has a home whose user cannot become root, and whom Nix does
// not trust.
func TestImportOfUntrustedUserNamesWaysOut(t *testing.T) {
	f := fleettest.New(t,
		demo.Host{Name: "desk", Kind: "home", User: "mba", Wave: 1, Builder: "big"},
		demo.Host{Name: "big", Kind: "nixos", User: "mba", Wave: 1})
	write(t, filepath.Join(f.Root("desk"), "etc/demo/untrusted"), "")
	_, state := f.Deploy(t.Context(), func(fleet.Event) {})
	r := state.Host("desk").Result
	if r.Outcome != fleet.Failed || r.Code != fleet.CodeUntrusted || r.Step != fleet.Copy || !strings.Contains(r.Reason, "lacks a signature") {
		t.Errorf("%+v", *r)
	}
	for _, way := range []string{"root", "trusted-users", "trusted-public-keys"} {
		if !strings.Contains(r.Hint, way) {
			t.Errorf("the hint %q does not name %s", r.Hint, way)
		}
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestPreviewAsksBuilder compares the plan of a host with what a deploy does.
func TestPreviewAsksBuilder(t *testing.T) {
	f := newServedFleet(t)
	rev, _ := f.Deploy(t.Context(), func(fleet.Event) {})
	next, err := f.Push(t.Context(), "small", "no-op")
	if err != nil {
		t.Fatal(err)
	}
	before := fleettest.Refs(t, f.Checkout("big", "mba"))
	p := f.Preview(fleet.Options{}, next, false)
	if p.Err != nil || p.Problem != "" || p.Head != rev || len(p.Commits) != 1 || p.Commits[0].Revision != next || len(p.Builds) == 0 {
		t.Errorf("%+v", p)
	}
	if after := fleettest.Refs(t, f.Checkout("big", "mba")); after != before {
		t.Errorf("the builder's own checkout changed:\n%s\n%s", before, after)
	}
	if s := f.Status()["small"]; s.Err != nil || s.Health.Checkout != nil || s.Health.System.Revision != rev {
		t.Errorf("%+v", s)
	}
}
