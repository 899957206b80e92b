package cli

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/internal/testrounds"
)

func TestDemoDeploysEveryHostAndOneFails(t *testing.T) {
	t.Parallel()
	env := newDemoTestEnv(t)
	options := demoOptions{Hosts: testrounds.N(4, 9), Dir: t.TempDir()}
	err := runDemo(t.Context(), env.Env, options, []string{"deploy", "--all"})
	if exitCodeOf(err) != fleet.ExitFailed {
		t.Fatalf("exit code %d: %v\n%s%s", exitCodeOf(err), err, env.out, env.err)
	}
	for _, want := range []string{"✗ failed", "peers/allow.go:87:21"} {
		if !strings.Contains(env.out.String(), want) {
			t.Errorf("output lacks %q:\n%s", want, env.out)
		}
	}
	again := newDemoTestEnv(t)
	if err := runDemo(t.Context(), again.Env, options, []string{"deploy", "--all"}); exitCodeOf(err) != fleet.ExitFailed || strings.Contains(again.out.String(), "skipped") {
		t.Fatalf("second deploy: exit code %d: %v\n%s%s", exitCodeOf(err), err, again.out, again.err)
	}
	history := newDemoTestEnv(t)
	if err := runDemo(t.Context(), history.Env, options, []string{"history"}); err != nil {
		t.Fatal(err)
	}
	for _, outcome := range []string{"switched", "unchanged"} {
		want := fmt.Sprintf("%d %s, 1 failed", options.Hosts-1, outcome)
		if !strings.Contains(history.out.String(), want) {
			t.Errorf("history lacks %q:\n%s", want, history.out)
		}
	}
}

func TestDemoLeavesHomeDirectoryUntouched(t *testing.T) {
	t.Parallel()
	env := newDemoTestEnv(t)
	if err := runDemo(t.Context(), env.Env, demoOptions{Hosts: 2}, []string{"deploy", "hsb1"}); err != nil {
		t.Fatalf("%v\n%s%s", err, env.out, env.err)
	}
	err := filepath.WalkDir(env.Home, func(path string, _ fs.DirEntry, err error) error {
		if path != env.Home {
			t.Errorf("the demo created %s", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestDemoExitsWithStatusOfCommand(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		command []string
		code    int
	}{
		{[]string{"exec", "--all", "--yes", "--", "true"}, fleet.ExitOK},
		{[]string{"exec", "--all", "--yes", "--", "false"}, fleet.ExitFailed},
		{[]string{"exec", "nobody", "--", "true"}, fleet.ExitUsage},
		{[]string{"no-such-command"}, fleet.ExitUsage},
	} {
		env := newDemoTestEnv(t)
		if got := Main(env.Env, append([]string{"demo", "--hosts", "2", "--"}, test.command...)); got != test.code {
			t.Errorf("%v: exit code %d, want %d: %s", test.command, got, test.code, env.err)
		}
	}
}

func TestDemoGeneratesHostsBeyondNine(t *testing.T) {
	t.Parallel()
	env := newDemoTestEnv(t)
	if code := Main(env.Env, []string{"demo", "--hosts", "11", "exec", "demo01*", "--yes", "--", "echo here"}); code != 0 {
		t.Fatalf("exit code %d: %s", code, env.err)
	}
	if strings.Count(env.out.String(), "here") != 2 {
		t.Errorf("output is not from two hosts:\n%s", env.out)
	}
}

func TestDemoExplainsItselfOnlyOnTerminal(t *testing.T) {
	t.Parallel()
	for _, terminal := range []bool{true, false} {
		env := newDemoTestEnv(t)
		env.OutTTY = terminal
		if err := runDemo(t.Context(), env.Env, demoOptions{Hosts: 1}, nil); err != nil {
			t.Fatalf("%v\n%s", err, env.err)
		}
		if explained := strings.Contains(env.err.String(), "in this process, over real SSH on loopback"); explained != terminal {
			t.Errorf("terminal %v: introduction printed %v", terminal, explained)
		}
		if strings.Contains(env.err.String(), "fleetctl demo --dir") != terminal {
			t.Errorf("terminal %v: next steps printed %v", terminal, !terminal)
		}
	}
}

func TestDemoRejectsDirectoryWithSpace(t *testing.T) {
	env := newDemoTestEnv(t)
	dir := filepath.Join(t.TempDir(), "my demo")
	if code := Main(env.Env, []string{"demo", "--hosts", "1", "--dir", dir, "list"}); code != fleet.ExitUsage || !strings.Contains(env.err.String(), "hint: choose a path without spaces") {
		t.Errorf("exit code %d: %s", code, env.err)
	}
}

func TestDemoRejectsZeroHosts(t *testing.T) {
	env := newDemoTestEnv(t)
	if code := Main(env.Env, []string{"demo", "--hosts", "0"}); code != fleet.ExitUsage {
		t.Errorf("exit code %d", code)
	}
}

func TestDemoSucceedsIfOnlyTheIntendedHostFails(t *testing.T) {
	t.Parallel()
	env := newDemoTestEnv(t)
	dir := t.TempDir()
	if err := runDemo(t.Context(), env.Env, demoOptions{Hosts: 2, Dir: dir}, nil); err != nil {
		t.Errorf("exit code %d: %v\n%s%s", exitCodeOf(err), err, env.out, env.err)
	}
	if !strings.Contains(env.err.String(), "The one failure is part of the demo") {
		t.Errorf("the failure is not explained:\n%s", env.err)
	}
	// The next run finds a host in a state in which nothing is deployed.
	if err := os.WriteFile(filepath.Join(dir, "hosts", "hsb1", "home", "mba", "Code", "nixcfg", "flake.nix"), []byte("edited"), 0o644); err != nil {
		t.Fatal(err)
	}
	again := newDemoTestEnv(t)
	if err := runDemo(t.Context(), again.Env, demoOptions{Hosts: 2, Dir: dir}, nil); exitCodeOf(err) != fleet.ExitFailed {
		t.Errorf("exit code %d: %v\n%s%s", exitCodeOf(err), err, again.out, again.err)
	}
}
