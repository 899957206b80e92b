package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

func TestDeployPromptNamesHostsAndRevision(t *testing.T) {
	inv := &inventory.Inventory{Name: "barta", Branch: "main", Parallel: 4}
	for _, test := range []struct {
		options fleet.Options
		want    string
	}{
		{fleet.Options{}, "Switch 2 hosts (hsb0, hsb1) of barta to the tip of main? [y/N] "},
		{fleet.Options{Goal: "boot", Rev: strings.Repeat("3f9c", 10)}, "Have 2 hosts (hsb0, hsb1) of barta boot into 3f9c3f9 next? [y/N] "},
		{fleet.Options{Goal: "rollback"}, "Roll back 2 hosts (hsb0, hsb1) of barta to the previous generation? [y/N] "},
		{fleet.Options{Goal: "rollback", To: 41}, "Roll back 2 hosts (hsb0, hsb1) of barta to generation 41? [y/N] "},
		{fleet.Options{NoPull: true}, "Switch 2 hosts (hsb0, hsb1) of barta to what is checked out there? [y/N] "},
		{fleet.Options{Goal: "test"}, "Activate the tip of main on 2 hosts (hsb0, hsb1) of barta until the next reboot? [y/N] "},
		{fleet.Options{Goal: "build"}, "Build the tip of main on 2 hosts (hsb0, hsb1) of barta? [y/N] "},
		{fleet.Options{Goal: "pull"}, "Pull the tip of main on 2 hosts (hsb0, hsb1) of barta? [y/N] "},
	} {
		env := newTestEnv(t)
		env.InTTY, env.In = true, strings.NewReader("n\n")
		err := (&runOptions{Options: test.options}).run(context.Background(), env.Env, inv, hostsNamed("hsb0", "hsb1"), func(fleet.Event) {})
		if exitCodeOf(err) != fleet.ExitInterrupted || env.err.String() != test.want {
			t.Errorf("exit code %d, prompt\n%s\nwant\n%s", exitCodeOf(err), env.err, test.want)
		}
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
	git("commit", "-q", "--allow-empty", "-m", "one")
	git("tag", "-a", "-m", "annotated", "v1")
	commit := git("rev-parse", "HEAD")

	env := newTestEnv(t)
	env.Environ = nil
	for name, want := range map[string]string{"main": commit, "v1": commit, "nosuch": ""} {
		if got, err := env.localGit(context.Background(), dir, name); err != nil || got != want {
			t.Errorf("localGit(%q) = %q, %v; want %q", name, got, err, want)
		}
	}
	_, err := env.localGit(context.Background(), dir+"/nosuch", "main")
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
