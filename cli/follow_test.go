package cli

import (
	"context"
	"encoding/json"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/engine"
)

const runID = "20261124-120000-k3f9"

// tells is a run that tells events, and then ends as it stands.
func tells(events ...fleet.Event) work {
	return func(_ context.Context, _ *engine.Engine, sink func(fleet.Event)) (fleet.Summary, error) {
		var state fleet.State
		for i, ev := range events {
			ev.Run, ev.Seq, ev.Time = runID, uint64(i+1), time.Date(2026, 11, 24, 12, 0, i, 0, time.UTC)
			if ev.Type == fleet.RunFinished {
				sum := state.Summarize()
				ev.Summary = &sum
			}
			state.Apply(ev)
			sink(ev)
		}
		return state.Summarize(), nil
	}
}

func starts(names ...string) fleet.Event {
	start := fleet.Start{Fleet: "barta", Goal: "switch", Revision: "3f9c2ab0d1e2f3a4b5c6d7e8f9a0b1c2d3e4f5a6"}
	for i, name := range names {
		start.Hosts = append(start.Hosts, fleet.PlannedHost{Name: name, Kind: "nixos", Wave: 1 + i})
	}
	return fleet.Event{Type: fleet.RunStarted, Start: &start}
}

func ends(host string, r fleet.Result) fleet.Event {
	return fleet.Event{Type: fleet.HostFinished, Host: host, Result: &r}
}

// failing is a run of which one host fails.
func failing() work {
	no := false
	return tells(
		starts("hsb0", "csb0"),
		fleet.Event{Type: fleet.StepStarted, Host: "hsb0", Step: fleet.Build},
		fleet.Event{Type: fleet.LogLine, Host: "hsb0", Stream: "out", Line: "building hello"},
		ends("hsb0", fleet.Result{Outcome: fleet.Switched, Before: "a1b2c3d4e5", After: "3f9c2ab0d1", Generation: 42, Seconds: 34.5}),
		fleet.Event{Type: fleet.StepStarted, Host: "csb0", Step: fleet.Build},
		fleet.Event{Type: fleet.LogLine, Host: "csb0", Stream: "out", Line: "building world"},
		fleet.Event{Type: fleet.LogLine, Host: "csb0", Stream: "warn", Line: "no output for 5m"},
		fleet.Event{Type: fleet.LogLine, Host: "csb0", Stream: "out", Line: "error: it does not compile"},
		fleet.Event{Type: fleet.LogLine, Host: "csb0", Stream: "out", Line: "  in world.nix"},
		fleet.Event{Type: fleet.StepFinished, Host: "csb0", Step: fleet.Build, OK: &no},
		ends("csb0", fleet.Result{Outcome: fleet.Failed, Step: fleet.Build, Reason: "it does not compile", Hint: "mend world.nix", Seconds: 3}),
		fleet.Event{Type: fleet.RunFinished},
	)
}

func TestPlainOutputHasALineAnEventAndEndsInASummary(t *testing.T) {
	w := newWorld(t)
	v := view{output: outputText}
	err := v.follow(context.Background(), w.Env, hostsNamed("hsb0", "csb0"), failing())
	if code(err) != fleet.ExitFailed {
		t.Errorf("exit code %d", code(err))
	}
	want := `run 20261124-120000-k3f9: barta, switch to 3f9c2ab, 2 hosts in 2 waves
hsb0   build: started
hsb0 | building hello
hsb0   switched (34.5 s)
csb0   build: started
csb0 | building world
csb0   warning: no output for 5m
csb0 | error: it does not compile
csb0 |   in world.nix
csb0   build: failed
csb0   failed in build: it does not compile (3.0 s)

HOST  OUTCOME     REVISION           GENERATION  SECONDS
hsb0  ✓ switched  a1b2c3d → 3f9c2ab  42          34.5
csb0  ✗ failed                                   3.0

✗ csb0 failed in build: it does not compile
  | error: it does not compile
  |   in world.nix
  hint: mend world.nix
  all of it: fleetctl logs 20261124-120000-k3f9 csb0

1 switched, 1 failed
`
	if got := w.out.String(); got != want {
		t.Errorf("standard output is\n%s\nwant\n%s", got, want)
	}
	if w.err.String() != "" {
		t.Errorf("standard error is\n%s", w.err)
	}
}

func TestQuietLeavesTheHostsOwnOutputOutButNoWarning(t *testing.T) {
	w := newWorld(t)
	v := view{output: outputText, quiet: true}
	v.follow(context.Background(), w.Env, hostsNamed("hsb0", "csb0"), failing())
	log, _, _ := strings.Cut(w.out.String(), "HOST  OUTCOME")
	if strings.Contains(log, "building") || !strings.Contains(log, "csb0   warning: no output for 5m\n") {
		t.Errorf("standard output is\n%s", w.out)
	}
}

func TestJSONIsAnEventALineAndNothingElse(t *testing.T) {
	w := newWorld(t)
	v := view{output: outputJSON}
	v.follow(context.Background(), w.Env, hostsNamed("hsb0", "csb0"), failing())
	n := 0
	for line := range strings.Lines(w.out.String()) {
		var ev fleet.Event
		if err := json.Unmarshal([]byte(line), &ev); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if n++; ev.Seq != uint64(n) {
			t.Errorf("line %d is event %d", n, ev.Seq)
		}
	}
	if n != 12 {
		t.Errorf("%d events", n)
	}
}

// signalled is a run that goes on until somebody interrupts it.
func signalled(t *testing.T, w *world, times int) (string, error) {
	v := view{output: outputText}
	err := v.follow(context.Background(), w.Env, hostsNamed("hsb0"), func(ctx context.Context, e *engine.Engine, sink func(fleet.Event)) (fleet.Summary, error) {
		tells(starts("hsb0"))(ctx, e, sink)
		for i := range times {
			syscall.Kill(os.Getpid(), syscall.SIGINT)
			for deadline := time.Now().Add(5 * time.Second); i == 0 && !strings.Contains(w.err.String(), "stopping"); time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("nothing was said of the first interrupt")
				}
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
			sink(fleet.Event{Run: runID, Type: fleet.HostFinished, Host: "hsb0", Result: &fleet.Result{Outcome: fleet.Switched}})
			sink(fleet.Event{Run: runID, Type: fleet.RunFinished, Summary: &fleet.Summary{}})
		}
		return fleet.Summary{}, nil
	})
	if err != nil {
		printError(w.Err, w.palette(false), err)
	}
	return w.err.String(), err
}

func TestFirstInterruptLetsTheRunGoOn(t *testing.T) {
	said, err := signalled(t, newWorld(t), 1)
	if code(err) != fleet.ExitOK || !strings.Contains(said, "fleetctl attach "+runID) {
		t.Errorf("exit code %d, standard error\n%s", code(err), said)
	}
}

func TestSecondInterruptLeavesAndSaysHowToComeBack(t *testing.T) {
	said, err := signalled(t, newWorld(t), 2)
	if code(err) != fleet.ExitInterrupted || !strings.Contains(said, "fleetctl: left; the jobs on hosts go on\n  hint: fleetctl attach "+runID) {
		t.Errorf("exit code %d, standard error\n%s", code(err), said)
	}
}
