package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/engine"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/demo"
	"github.com/markus-barta/nixfleet/internal/hint"
)

func TestDeployPromptNamesGoalAndRevision(t *testing.T) {
	inv := &inventory.Inventory{Name: "barta", Branch: "main", Parallel: 4}
	tip := fleet.Revision{Commit: strings.Repeat("3f9c", 10)}
	for _, test := range []struct {
		options fleet.Options
		want    string
	}{
		{fleet.Options{Pinned: tip}, "Switch 2 hosts of barta to 3f9c3f9? [y/N] "},
		{fleet.Options{Rev: "try-x", Pinned: tip}, "Switch 2 hosts of barta to try-x (3f9c3f9)? [y/N] "},
		{fleet.Options{Goal: "boot", Rev: strings.Repeat("3f9c", 10)}, "Have 2 hosts of barta boot into 3f9c3f9 next? [y/N] "},
		{fleet.Options{Goal: "rollback"}, "Roll back 2 hosts of barta to the previous generation? [y/N] "},
		{fleet.Options{Goal: "rollback", To: 41}, "Roll back 2 hosts of barta to generation 41? [y/N] "},
		{fleet.Options{NoPull: true}, "Switch 2 hosts of barta to what is checked out there? [y/N] "},
		{fleet.Options{Goal: "test", Pinned: tip}, "Activate 3f9c3f9 on 2 hosts of barta until the next reboot? [y/N] "},
		{fleet.Options{Goal: "build", Pinned: tip}, "Build 3f9c3f9 on 2 hosts of barta? [y/N] "},
		{fleet.Options{Goal: "pull", Pinned: tip}, "Pull 3f9c3f9 on 2 hosts of barta? [y/N] "},
	} {
		env := newTestEnv(t)
		env.InTTY, env.In = true, strings.NewReader("n\n")
		err := (&runOptions{Options: test.options}).run(context.Background(), env.Env, inv, hostsNamed("hsb0", "hsb1"), func(fleet.Event) {})
		if exitCodeOf(err) != fleet.ExitInterrupted || !strings.HasSuffix(env.err.String(), "\n"+test.want) || !strings.Contains(env.err.String(), "hosts  hsb0, hsb1\n") {
			t.Errorf("exit code %d, prompt\n%s\nwant\n%s", exitCodeOf(err), env.err, test.want)
		}
	}
}

func TestDeployPromptShowsWhatIsNewOnHosts(t *testing.T) {
	t.Parallel()
	env, f := startDemoFleet(t, demo.Host{Name: "hsb0", Kind: "nixos", User: "mba", Wave: 1}, demo.Host{Name: "hsb1", Kind: "nixos", User: "mba", Wave: 2})
	if code := Main(env.Env, []string{"deploy", "hsb0", "--yes"}); code != fleet.ExitOK {
		t.Fatalf("exit code %d\n%s%s", code, env.out, env.err)
	}
	clone := t.TempDir()
	git(t, clone, "clone", "-q", f.Origin, "nixcfg")
	work := filepath.Join(clone, "nixcfg")
	for _, subject := range []string{"hsb0: open a port", "flake: newer nixpkgs"} {
		git(t, work, "commit", "-q", "--allow-empty", "-m", subject)
	}
	git(t, work, "push", "-q")
	env.InTTY, env.In = true, strings.NewReader("n\n")
	if code := Main(env.Env, []string{"deploy", "--all"}); code != fleet.ExitInterrupted {
		t.Errorf("exit code %d", code)
	}
	want := regexp.MustCompile(`   hosts  hsb0, hsb1
  commit  [0-9a-f]{7} flake: newer nixpkgs \(\d+ s ago\)
     new  2 commits since [0-9a-f]{7} \(hsb0\)
          [0-9a-f]{7} flake: newer nixpkgs
          [0-9a-f]{7} hsb0: open a port
   waves  wave 1 \(1 host\), then wave 2 \(1 host\)
Switch 2 hosts of demo to [0-9a-f]{7}\? \[y/N\] `)
	if !want.MatchString(env.err.String()) {
		t.Errorf("the prompt is\n%s", env.err)
	}
}

func TestConfirmAcceptsOnlyYes(t *testing.T) {
	for answer, want := range map[string]bool{"y\n": true, "Yes\n": true, "\n": false, "": false, "n\n": false, "yep\n": false, "y": true} {
		env := newTestEnv(t)
		env.In = strings.NewReader(answer)
		if got := env.confirm("switch?"); got != want {
			t.Errorf("confirm after %q = %v, want %v", answer, got, want)
		}
	}
}

func TestCtrlCAtAPromptDeclines(t *testing.T) {
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, os.Interrupt) // as the demo does
	defer signal.Stop(caught)
	env := newTestEnv(t)
	in, quiet := io.Pipe() // never has a line
	defer quiet.Close()
	env.In = in
	answer := make(chan bool)
	go func() { answer <- env.confirm("switch?") }()
	for {
		if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		select {
		case yes := <-answer:
			if yes {
				t.Error("ctrl-c confirmed")
			}
			<-caught // wait for it: after signal.Stop it would end the process
			return
		case <-caught: // perhaps before the prompt: try again
			runtime.Gosched()
		}
	}
}

func TestLocalGitResolvesBranchesAndTags(t *testing.T) {
	dir := t.TempDir()
	git := func(args ...string) string {
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=t", "-c", "user.email=t@t"}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "-q", "-b", "main")
	if err := os.WriteFile(filepath.Join(dir, "flake.nix"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	git("add", "flake.nix")
	git("commit", "-q", "-m", "one")
	git("tag", "-a", "-m", "annotated", "v1")
	commit := git("rev-parse", "HEAD")

	env := newTestEnv(t)
	env.Environ = nil
	clone := t.TempDir()
	git("clone", "-q", dir, filepath.Join(clone, "nixcfg"))
	repository := filepath.Join(clone, "nixcfg")
	for source, from := range map[string]fleet.Source{
		"the remote":     {Remote: dir},
		"the repository": {Dir: repository, Branch: "main"},
		"the repository of a remote that is out of reach": {Remote: "/nowhere/" + filepath.Base(dir) + ".git", Dir: repository, Branch: "main"},
	} {
		for name, want := range map[string]fleet.Revision{
			"main": {Commit: commit, Ref: "refs/heads/main"}, "refs/heads/main": {Commit: commit, Ref: "refs/heads/main"},
			"v1": {Commit: commit, Ref: "refs/tags/v1"}, "refs/heads/v1": {}, "nosuch": {},
		} {
			if got, err := env.localGit(context.Background(), from, name); err != nil || got != want {
				t.Errorf("%s: localGit(%q) = %q, %v; want %q", source, name, got, err, want)
			}
		}
	}
	short, err := env.localGit(context.Background(), fleet.Source{Dir: repository, Branch: "main"}, commit[:8])
	if err != nil || short.Commit != commit || short.Ref != "" {
		t.Errorf("the first digits are those of %+v, %v", short, err)
	}
	if _, err := env.localGit(context.Background(), fleet.Source{Dir: clone, Branch: "main"}, "main"); !errors.Is(err, errNoRemote) {
		t.Errorf("outside of a repository the error is %v", err)
	} else if text := hint.Of(&engine.UnreadableError{Err: err}); !strings.HasPrefix(text, "set remote in [fleet]") {
		t.Errorf("outside of a repository the hint is %q", text)
	}
	exec.Command("git", "-C", repository, "rm", "-q", "flake.nix").Run()
	if _, err := env.localGit(context.Background(), fleet.Source{Dir: repository, Branch: "main"}, "main"); !errors.Is(err, errNoRemote) {
		t.Errorf("in a repository without a flake the error is %v", err)
	}
	// A repository with another name is not asked.
	_, err = env.localGit(context.Background(), fleet.Source{Remote: dir + "/nosuch", Dir: repository, Branch: "main"}, "main")
	if err == nil || !strings.Contains(err.Error(), "fatal:") || !strings.Contains(err.Error(), "nosuch") {
		t.Errorf("for a missing remote the error is %v", err)
	}
}

func TestMetricsAreWrittenEvenIfTheRunFailed(t *testing.T) {
	env := newTestEnv(t)
	o := deployOptions{metrics: filepath.Join(env.Dir, "fleetctl.prom")}
	failed := errors.New("a host failed")
	err := o.withMetrics(env.Env, func(observe func(fleet.Event)) error {
		failingRun()(context.Background(), nil, observe)
		return failed
	})
	text, _ := os.ReadFile(o.metrics)
	if err != failed || !strings.Contains(string(text), `fleetctl_host_ok{fleet="barta",host="csb0",outcome="failed"} 0`) {
		t.Errorf("%v, metrics:\n%s", err, text)
	}
	stat, err := os.Stat(o.metrics)
	if files, _ := os.ReadDir(env.Dir); err != nil || stat.Mode().Perm() != 0o644 || len(files) != 1 {
		t.Errorf("%v %v, files in the directory: %v", stat, err, files)
	}
}

func TestUnwritableMetricsDoNotFailTheRun(t *testing.T) {
	env := newTestEnv(t)
	o := deployOptions{metrics: filepath.Join(env.Dir, "nowhere", "fleetctl.prom")}
	err := o.withMetrics(env.Env, func(observe func(fleet.Event)) error {
		failingRun()(context.Background(), nil, observe)
		return nil
	})
	if err != nil || !strings.Contains(env.err.String(), "cannot write the metrics") {
		t.Errorf("%v, printed %q", err, env.err)
	}
}
