package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/internal/demo"
)

// TestOperatorDecidesWhatHostsReport has an operator whose git cannot read the remote, and a host
// whose own remote has another commit on the branch.
func TestOperatorDecidesWhatHostsReport(t *testing.T) {
	env, f := startDemoFleet(t,
		demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1},
		demo.Host{Name: "api", Kind: "nixos", User: "mba", Wave: 1},
		demo.Host{Name: "odd", Kind: "nixos", User: "mba", Wave: 1})
	git := func(dir string, args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=t", "-c", "user.email=t@t"}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	tip := git(f.Origin, "rev-parse", "main")
	fork := t.TempDir()
	git(fork, "clone", "-q", f.Origin, "fork")
	fork = filepath.Join(fork, "fork")
	git(fork, "commit", "-q", "--allow-empty", "-m", "fork")
	git(filepath.Join(f.Root("odd"), "home/mba/Code/nixcfg"), "remote", "set-url", "origin", fork)
	odd := git(fork, "rev-parse", "main")

	text, err := os.ReadFile(f.Inventory)
	if err != nil {
		t.Fatal(err)
	}
	write := func(path, remote string) {
		t.Helper()
		changed := strings.Replace(string(text), "remote = \""+f.Origin+"\"\n", remote, 1)
		if changed == string(text) {
			t.Fatalf("no remote in\n%s", text)
		}
		if err := os.WriteFile(path, []byte(changed), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run := func(want int, typed string, args ...string) string {
		t.Helper()
		*env.out, *env.err = syncBuffer{}, syncBuffer{}
		env.InTTY, env.In = typed != "", strings.NewReader(typed)
		if code := Main(env.Env, args); code != want {
			t.Fatalf("%v, typed %q: exit code %d, want %d\n%s%s", args, typed, code, want, env.out, env.err)
		}
		return env.out.String() + env.err.String()
	}
	pull := []string{"pull", "--all"}

	write(f.Inventory, "remote = \"/nowhere/cfg.git\"\n")
	for name, args := range map[string][]string{"": pull, "typed but --yes": append(pull, "--yes")} {
		out := run(fleet.ExitUsage, strings.TrimPrefix(name, "typed "), args...)
		if !strings.Contains(out, "cannot read the fleet's branch") || !strings.Contains(out, "--rev with its 40 hex digits") || strings.Contains(out, tip) {
			t.Errorf("%v: %s", args, out)
		}
	}
	list := run(fleet.ExitInterrupted, "\n", pull...)
	for _, want := range []string{"1  " + tip + "  web api", "2  " + odd + "  odd", "Which commit should all hosts get? [1-2, none]", "nothing was started"} {
		if !strings.Contains(list, want) {
			t.Errorf("no %q in\n%s", want, list)
		}
	}
	// Whatever the operator chooses, each host checks it against its own remote.
	out := run(fleet.ExitOK, "1\ny\n", pull...)
	if !strings.Contains(out, "Pull "+tip[:7]+" on 3 hosts") || !strings.Contains(out, "3 pulled") {
		t.Errorf("chose the tip:\n%s", out)
	}
	if out := run(fleet.ExitFailed, "2\ny\n", pull...); !strings.Contains(out, "1 pulled, 2 failed") {
		t.Errorf("chose the fork:\n%s", out)
	}

	// Without a remote, the repository that the inventory is in knows where to ask.
	inventory := filepath.Join(f.Home, "Code", "nixcfg", "hosts.toml")
	write(inventory, "")
	if out := run(fleet.ExitOK, "", "pull", "web", "--inventory", inventory); !strings.Contains(out, "1 unchanged") {
		t.Errorf("in the repository:\n%s", out)
	}
	if out := run(fleet.ExitOK, "", "status", "web", "--inventory", inventory); !strings.Contains(out, "main is at "+tip[:7]) {
		t.Errorf("status in the repository:\n%s", out)
	}
	if out := run(fleet.ExitUsage, "", "pull", "web", "--inventory", inventory, "--rev", "nosuch"); !strings.Contains(out, `cannot look up "nosuch"`) {
		t.Errorf("unknown name:\n%s", out)
	}
}
