package cli

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/internal/sshtest"
)

// inGitHub makes an Env one of a step of a GitHub workflow.
func (env *testEnv) inGitHub() {
	getenv := env.Getenv
	env.Getenv = func(name string) string {
		if name == "GITHUB_ACTIONS" {
			return "true"
		}
		return getenv(name)
	}
}

func TestGitHubLogGroupsOutputAndAnnotatesFailures(t *testing.T) {
	env := newTestEnv(t)
	env.inGitHub()
	v := view{output: outputText}
	v.follow(context.Background(), env.Env, hostsNamed("hsb0", "csb0"), failingRun())
	got, _, _ := strings.Cut(env.out.String(), "\nHOST")
	want := ` 0:00  run 20261124-120000-k3f9: barta, switch to 3f9c2ab, 2 hosts in 2 waves
 0:01  hsb0   build: started
 0:03  hsb0   switched (34.5 s) [wave 1: 1 of 1, 100%]
::group::hsb0: output
 0:02  building hello
::endgroup::
 0:03  wave 1 finished: 1 switched
 0:04  csb0   build: started
 0:06  csb0   warning: no output for 5m
 0:09  csb0   build: failed
 0:10  csb0   failed in build: it does not compile (3.0 s) [wave 2: 1 of 1, 100%]
::group::csb0: output
 0:05  building world
 0:07  error: it does not compile
 0:08    in world.nix
::endgroup::
::error title=csb0 failed in build::it does not compile%0Ahint: fix world.nix
 0:10  wave 2 finished: 1 failed
`
	if got != want {
		t.Errorf("standard output is\n%s\nwant\n%s", got, want)
	}
}

func TestQuietGitHubLogAnnotatesFailuresOnStandardError(t *testing.T) {
	env := newTestEnv(t)
	env.inGitHub()
	v := view{output: outputText, quiet: true}
	v.follow(context.Background(), env.Env, hostsNamed("hsb0", "csb0"), failingRun())
	if strings.Contains(env.out.String(), "::") || strings.Count(env.err.String(), "\n::error title=csb0 failed in build::") != 1 {
		t.Errorf("standard output is\n%s\nstandard error is\n%s", env.out, env.err)
	}
}

func TestGitHubLogHasOutputOfHostsWithoutAnOutcome(t *testing.T) {
	env := newTestEnv(t)
	env.inGitHub()
	v := view{output: outputText}
	v.follow(context.Background(), env.Env, hostsNamed("hsb0"), replay(
		runStarted("hsb0"), fleet.Event{Type: fleet.LogLine, Host: "hsb0", Stream: "out", Line: "building hello"}))
	if !strings.HasSuffix(env.out.String(), "::group::hsb0: output\n 0:01  building hello\n::endgroup::\n") {
		t.Errorf("standard output is\n%s", env.out)
	}
}

func TestGitHubGroupKeepsTheEndOfLongOutput(t *testing.T) {
	env := newTestEnv(t)
	env.inGitHub()
	events := []fleet.Event{runStarted("hsb0")}
	for i := range 300 {
		events = append(events, fleet.Event{Type: fleet.LogLine, Host: "hsb0", Stream: "out", Line: fmt.Sprint(i, strings.Repeat("x", 1<<10))})
	}
	v := view{output: outputText}
	v.follow(context.Background(), env.Env, hostsNamed("hsb0"), replay(append(events, hostFinished("hsb0", fleet.Result{Outcome: fleet.Switched}))...))
	if n := env.out.String(); len(n) > maxGroup+1000 || !regexp.MustCompile(`::group::hsb0: output\n\d+ earlier lines are left out\n`).MatchString(n) || !strings.Contains(n, "  299x") {
		t.Errorf("%d bytes of output: %.300s", len(n), n)
	}
}

// fleetctlCommands matches the workflow commands that a run may print, about the hosts of
// [TestHostsCannotPrintWorkflowCommands].
var fleetctlCommands = regexp.MustCompile(`^(::group::hsb0: output|::endgroup::|::error title=hsb0 failed in build::[^\n]*)$`)

func TestHostsCannotPrintWorkflowCommands(t *testing.T) {
	t.Parallel()
	f := startHostileFleet(t, "workflow-commands")
	for _, quiet := range []bool{false, true} {
		var out syncBuffer
		env := &testEnv{Env: f.env(&out)}
		env.inGitHub()
		args := []string{"deploy", "workflow-commands", "--yes"}
		if quiet {
			args = append(args, "--quiet")
		}
		if code := Main(env.Env, args); code != fleet.ExitFailed {
			t.Errorf("exit code %d", code)
		}
		allowed := regexp.MustCompile(strings.ReplaceAll(fleetctlCommands.String(), "hsb0", "workflow-commands"))
		seen := 0
		for line := range strings.Lines(out.String()) {
			line = strings.TrimSuffix(line, "\n")
			if !runnerCommand.MatchString(line) && !strings.HasPrefix(line, "::") {
				continue
			}
			seen++
			if !allowed.MatchString(line) {
				t.Errorf("a workflow command: %q", line)
			}
		}
		if want := map[bool]int{false: 3, true: 1}[quiet]; seen != want {
			t.Errorf("%d workflow commands, want %d:\n%s", seen, want, out.String())
		}
	}
}

func TestWorkflowCommandsEscapeText(t *testing.T) {
	got := failureCommand("a,b", &fleet.Result{Outcome: fleet.Failed, Step: fleet.Build, Reason: "100%, x: y\r", Hint: sshtest.ActionsText})
	want := "::error title=a%2Cb failed in build::100%25, x: y%0D%0Ahint: " + escapeMessage.Replace(sshtest.ActionsText)
	if got != want || strings.Contains(got, "\n") {
		t.Errorf("got %q, want %q", got, want)
	}
}
