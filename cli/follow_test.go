package cli

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/engine"
)

func TestPlainOutputPrintsOneLinePerEventAndASummary(t *testing.T) {
	env := newTestEnv(t)
	v := view{output: outputText}
	err := v.follow(context.Background(), env.Env, hostsNamed("hsb0", "csb0"), failingRun())
	if exitCodeOf(err) != fleet.ExitFailed {
		t.Errorf("exit code %d", exitCodeOf(err))
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
  hint: fix world.nix
  full log: fleetctl logs 20261124-120000-k3f9 csb0

1 switched, 1 failed
`
	if got := env.out.String(); got != want {
		t.Errorf("standard output is\n%s\nwant\n%s", got, want)
	}
	if env.err.String() != "" {
		t.Errorf("standard error is\n%s", env.err)
	}
}

func TestIncompleteRecordIsNotTheHostsFault(t *testing.T) {
	env := newTestEnv(t)
	v := view{output: outputText}
	full := errors.New("the record of run x is incomplete: no space left on device")
	run := replay(runStarted("hsb0"), hostFinished("hsb0", fleet.Result{Outcome: fleet.Switched}), fleet.Event{Type: fleet.RunFinished})
	err := v.follow(context.Background(), env.Env, hostsNamed("hsb0"), func(ctx context.Context, e *engine.Engine, sink func(fleet.Event)) (fleet.Summary, error) {
		summary, _ := run(ctx, e, sink)
		return summary, full
	})
	if !errors.Is(err, full) || exitCodeOf(err) != fleet.ExitOK {
		t.Errorf("%v, exit code %d", err, exitCodeOf(err))
	}
}

func TestQuietOmitsHostOutputButNotWarnings(t *testing.T) {
	env := newTestEnv(t)
	v := view{output: outputText, quiet: true}
	v.follow(context.Background(), env.Env, hostsNamed("hsb0", "csb0"), failingRun())
	log, _, _ := strings.Cut(env.out.String(), "HOST  OUTCOME")
	if strings.Contains(log, "building") || !strings.Contains(log, "csb0   warning: no output for 5m\n") {
		t.Errorf("standard output is\n%s", env.out)
	}
}

func TestJSONOutputPrintsOneEventPerLineAndNothingElse(t *testing.T) {
	env := newTestEnv(t)
	v := view{output: outputJSON}
	v.follow(context.Background(), env.Env, hostsNamed("hsb0", "csb0"), failingRun())
	n := 0
	for line := range strings.Lines(env.out.String()) {
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

// followInterrupted follows a run of hsb0 that is interrupted the given number of times. It returns
// standard error and the error of follow.
func followInterrupted(t *testing.T, env *testEnv, times int) (string, error) {
	v := view{output: outputText}
	err := v.follow(context.Background(), env.Env, hostsNamed("hsb0"), func(ctx context.Context, e *engine.Engine, sink func(fleet.Event)) (fleet.Summary, error) {
		replay(runStarted("hsb0"))(ctx, e, sink)
		for i := range times {
			syscall.Kill(os.Getpid(), syscall.SIGINT)
			for deadline := time.Now().Add(5 * time.Second); i == 0 && !strings.Contains(env.err.String(), "stopping"); time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("no note about the first interrupt")
				}
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
			sink(fleet.Event{Run: testRunID, Type: fleet.HostFinished, Host: "hsb0", Result: &fleet.Result{Outcome: fleet.Switched}})
			sink(fleet.Event{Run: testRunID, Type: fleet.RunFinished, Summary: &fleet.Summary{}})
		}
		return fleet.Summary{}, nil
	})
	if err != nil {
		printError(env.Err, env.palette(false), err)
	}
	return env.err.String(), err
}

func TestFirstInterruptLetsRunFinish(t *testing.T) {
	stderr, err := followInterrupted(t, newTestEnv(t), 1)
	if exitCodeOf(err) != fleet.ExitOK || !strings.Contains(stderr, "fleetctl attach "+testRunID) {
		t.Errorf("exit code %d, standard error\n%s", exitCodeOf(err), stderr)
	}
}

func TestSecondInterruptExitsWithHintToAttach(t *testing.T) {
	stderr, err := followInterrupted(t, newTestEnv(t), 2)
	if exitCodeOf(err) != fleet.ExitInterrupted || !strings.Contains(stderr, "fleetctl: interrupted; jobs on the hosts keep running\n  hint: fleetctl attach "+testRunID) {
		t.Errorf("exit code %d, standard error\n%s", exitCodeOf(err), stderr)
	}
}
