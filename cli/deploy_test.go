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

func TestDeployAsksAPersonNamingHostsAndRevision(t *testing.T) {
	inv := &inventory.Inventory{Name: "barta", Branch: "main", Parallel: 4}
	for _, test := range []struct {
		options fleet.Options
		want    string
	}{
		{fleet.Options{}, "switch 2 hosts (hsb0, hsb1) of barta at the tip of main? [y/N] "},
		{fleet.Options{Goal: "boot", Rev: strings.Repeat("3f9c", 10)}, "boot 2 hosts (hsb0, hsb1) of barta at 3f9c3f9? [y/N] "},
		{fleet.Options{Goal: "rollback"}, "rollback 2 hosts (hsb0, hsb1) of barta to the generation before? [y/N] "},
		{fleet.Options{Goal: "rollback", To: 41}, "rollback 2 hosts (hsb0, hsb1) of barta to generation 41? [y/N] "},
		{fleet.Options{NoPull: true}, "switch 2 hosts (hsb0, hsb1) of barta as checked out? [y/N] "},
	} {
		w := newWorld(t)
		w.InTTY, w.In = true, strings.NewReader("n\n")
		err := (&runOptions{Options: test.options}).run(context.Background(), w.Env, inv, hostsNamed("hsb0", "hsb1"), func(fleet.Event) {})
		if code(err) != fleet.ExitInterrupted || w.err.String() != test.want {
			t.Errorf("exit code %d, asked\n%s\nwant\n%s", code(err), w.err, test.want)
		}
	}
}

func TestOnlyYesIsAYes(t *testing.T) {
	for answer, want := range map[string]bool{"y\n": true, "Yes\n": true, "\n": false, "": false, "n\n": false, "yep\n": false, "y": true} {
		w := newWorld(t)
		w.In = strings.NewReader(answer)
		if got := w.confirm("switch?"); got != want {
			t.Errorf("%q is %v", answer, got)
		}
	}
}

func TestCtrlCAtAQuestionIsANo(t *testing.T) {
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, os.Interrupt) // somebody else listens, as in the demo
	defer signal.Stop(heard)
	w := newWorld(t)
	in, quiet := io.Pipe() // nobody types
	defer quiet.Close()
	w.In = in
	answer := make(chan bool)
	go func() { answer <- w.confirm("switch?") }()
	for {
		if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		select {
		case yes := <-answer:
			if yes {
				t.Error("ctrl-c was a yes")
			}
			<-heard // it must not come when nobody listens any more
			return
		case <-heard: // perhaps too early for the question
			runtime.Gosched()
		}
	}
}

func TestLocalGitKnowsBranchesAndTagsByTheirCommit(t *testing.T) {
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
	git("tag", "-a", "-m", "an object of its own", "v1")
	commit := git("rev-parse", "HEAD")

	w := newWorld(t)
	w.Environ = nil
	for name, want := range map[string]string{"main": commit, "v1": commit, "nosuch": ""} {
		if got, err := w.localGit(context.Background(), dir, name); err != nil || got != want {
			t.Errorf("%s is at %q, %v; want %q", name, got, err, want)
		}
	}
	if _, err := w.localGit(context.Background(), dir+"/nosuch", "main"); err == nil {
		t.Error("a remote that is not there is no error")
	}
}

func TestMetricsAreWrittenWholeHoweverTheRunEnded(t *testing.T) {
	w := newWorld(t)
	o := deployOptions{metrics: filepath.Join(w.Dir, "fleetctl.prom")}
	failed := errors.New("a host failed")
	err := o.measured(w.Env, func(seen func(fleet.Event)) error {
		failingRun()(context.Background(), nil, seen)
		return failed
	})
	text, _ := os.ReadFile(o.metrics)
	if err != failed || !strings.Contains(string(text), `fleetctl_host_ok{fleet="barta",host="csb0",outcome="failed"} 0`) {
		t.Errorf("%v, metrics:\n%s", err, text)
	}
	stat, err := os.Stat(o.metrics)
	if left, _ := os.ReadDir(w.Dir); err != nil || stat.Mode().Perm() != 0o644 || len(left) != 1 {
		t.Errorf("%v %v, beside it %v", stat, err, left)
	}
}

func TestMetricsThatCannotBeWrittenFailNoRun(t *testing.T) {
	w := newWorld(t)
	o := deployOptions{metrics: filepath.Join(w.Dir, "nowhere", "fleetctl.prom")}
	err := o.measured(w.Env, func(seen func(fleet.Event)) error {
		failingRun()(context.Background(), nil, seen)
		return nil
	})
	if err != nil || !strings.Contains(w.err.String(), "the metrics were not written") {
		t.Errorf("%v, said %q", err, w.err)
	}
}
