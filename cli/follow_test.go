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
	want := ` 0:00  run 20261124-120000-k3f9: barta, switch to 3f9c2ab, 2 hosts in 2 waves
 0:01  hsb0   build: started
 0:02  hsb0 | building hello
 0:03  hsb0   switched (34.5 s) [wave 1: 1 of 1, 100%]
 0:03  wave 1 finished: 1 switched
 0:04  csb0   build: started
 0:05  csb0 | building world
 0:06  csb0   warning: no output for 5m
 0:07  csb0 | error: it does not compile
 0:08  csb0 |   in world.nix
 0:09  csb0   build: failed
 0:10  csb0   failed in build: it does not compile (3.0 s) [wave 2: 1 of 1, 100%]
 0:10  wave 2 finished: 1 failed

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

func TestQuietPrintsOneLinePerHost(t *testing.T) {
	env := newTestEnv(t)
	v := view{output: outputText, quiet: true}
	run := func(ctx context.Context, e *engine.Engine, sink func(fleet.Event)) (fleet.Summary, error) {
		replay(runStarted("hsb0", "csb0", "gpc0"))(ctx, e, sink)
		failingRun()(ctx, e, func(ev fleet.Event) {
			if ev.Type != fleet.RunStarted {
				sink(ev)
			}
		})
		sink(hostFinished("gpc0", fleet.Result{Outcome: fleet.Skipped, Reason: "wave 2 failed"}))
		return fleet.Summary{ExitCode: fleet.ExitFailed}, nil
	}
	v.follow(context.Background(), env.Env, hostsNamed("hsb0", "csb0", "gpc0"), run)
	want := `hsb0  ✓ switched  a1b2c3d → 3f9c2ab
csb0  ✗ failed                       in build: it does not compile
gpc0  - skipped                      wave 2 failed
`
	if got := env.out.String(); got != want {
		t.Errorf("standard output is\n%s\nwant\n%s", got, want)
	}
	want = `csb0: warning: no output for 5m

✗ csb0 failed in build: it does not compile
  | error: it does not compile
  |   in world.nix
  hint: fix world.nix
  full log: fleetctl logs 20261124-120000-k3f9 csb0
`
	if got := env.err.String(); got != want {
		t.Errorf("standard error is\n%s\nwant\n%s", got, want)
	}
}

func TestSummaryPrintsTheReasonOfSkippedHostsOnce(t *testing.T) {
	env := newTestEnv(t)
	skipped := fleet.Result{Outcome: fleet.Skipped, Reason: "not started, since hsb0 failed in wave 1"}
	v := view{output: outputText}
	v.follow(context.Background(), env.Env, hostsNamed("hsb0", "csb0", "gpc0"), replay(
		runStarted("hsb0", "csb0", "gpc0"),
		hostFinished("hsb0", fleet.Result{Outcome: fleet.Failed, Step: fleet.Build, Reason: "builder for '/nix/store/a174czfa3429521d2ff470zba9fbda10-vpn-hub-2.1.0.drv' failed"}),
		hostFinished("csb0", skipped), hostFinished("gpc0", skipped),
		fleet.Event{Type: fleet.RunFinished},
	))
	_, summary, _ := strings.Cut(env.out.String(), "HOST  OUTCOME")
	for _, want := range []string{
		"\n- csb0, gpc0 skipped: not started, since hsb0 failed in wave 1\n",
		"✗ hsb0 failed in build: builder for 'vpn-hub-2.1.0' failed\n",
	} {
		if strings.Count(summary, want) != 1 {
			t.Errorf("the summary lacks %q:\n%s", want, summary)
		}
	}
}

func TestPlainOutputPrintsEachTenthOfABuildOnce(t *testing.T) {
	env := newTestEnv(t)
	progress := func(builds, expected int) fleet.Event {
		return fleet.Event{Type: fleet.ProgressMade, Host: "hsb0", Progress: &fleet.Progress{Builds: builds, BuildsExpected: expected, Copies: 1, CopiesExpected: 10}}
	}
	v := view{output: outputText}
	v.follow(context.Background(), env.Env, hostsNamed("hsb0"), replay(
		runStarted("hsb0"), progress(0, 0), progress(4, 10), progress(4, 10), progress(4, 20), progress(8, 10), progress(9, 0), progress(10, 10),
		hostFinished("hsb0", fleet.Result{Outcome: fleet.Switched, Seconds: 3700}),
	))
	got, _, _ := strings.Cut(env.out.String(), "\nHOST")
	want := ` 0:00  run 20261124-120000-k3f9: barta, switch to 3f9c2ab, 1 host
 0:01  hsb0   build: 10% (1 of 10 copied)
 0:02  hsb0   build: 25% (4 of 10 built, 1 of 10 copied)
 0:05  hsb0   build: 45% (8 of 10 built, 1 of 10 copied)
 0:07  hsb0   build: 55% (10 of 10 built, 1 of 10 copied)
 0:08  hsb0   switched (3700.0 s) [1 of 1, 100%]
`
	if got != want {
		t.Errorf("standard output is\n%s\nwant\n%s", got, want)
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
