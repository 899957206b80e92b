package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
)

// demoWorld is one in which there is git, and in which time passes.
func demoWorld(t *testing.T) *world {
	w := newWorld(t)
	w.Now = time.Now
	w.Environ = append(w.Environ, "PATH="+os.Getenv("PATH"))
	return w
}

func codeOf(err error) int {
	var e *exitError
	if errors.As(err, &e) {
		return e.code
	}
	return exitCode(err, true)
}

func TestDemoDeploysNineHostsOfWhichOneFails(t *testing.T) {
	w := demoWorld(t)
	dir := t.TempDir()
	err := runDemo(t.Context(), w.Env, demoOptions{Hosts: 9, Dir: dir}, []string{"deploy", "--all"})
	if codeOf(err) != fleet.ExitFailed {
		t.Fatalf("exit code %d: %v\n%s%s", codeOf(err), err, w.out, w.err)
	}
	for _, want := range []string{"csb0           ✗ failed", "peers/allow.go:87:21"} {
		if !strings.Contains(w.out.String(), want) {
			t.Errorf("nothing says %q in:\n%s", want, w.out)
		}
	}
	again := demoWorld(t)
	if err := runDemo(t.Context(), again.Env, demoOptions{Hosts: 9, Dir: dir}, []string{"deploy", "--all"}); codeOf(err) != fleet.ExitFailed || strings.Contains(again.out.String(), "skipped") {
		t.Fatalf("again: exit code %d: %v\n%s%s", codeOf(err), err, again.out, again.err)
	}
	history := demoWorld(t)
	if err := runDemo(t.Context(), history.Env, demoOptions{Hosts: 9, Dir: dir}, []string{"history"}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"8 switched, 1 failed", "8 unchanged, 1 failed"} {
		if !strings.Contains(history.out.String(), want) {
			t.Errorf("the history has no %q:\n%s", want, history.out)
		}
	}
}

func TestDemoLeavesTheOperatorsHomeAlone(t *testing.T) {
	w := demoWorld(t)
	if err := runDemo(t.Context(), w.Env, demoOptions{Hosts: 2}, []string{"deploy", "hsb1"}); err != nil {
		t.Fatalf("%v\n%s%s", err, w.out, w.err)
	}
	err := filepath.WalkDir(w.Home, func(path string, _ fs.DirEntry, err error) error {
		if path != w.Home {
			t.Errorf("there is %s", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestDemoEndsAsItsCommandDoes(t *testing.T) {
	for _, test := range []struct {
		command []string
		code    int
	}{
		{[]string{"exec", "--all", "--", "true"}, fleet.ExitOK},
		{[]string{"exec", "--all", "--", "false"}, fleet.ExitFailed},
		{[]string{"exec", "nobody", "--", "true"}, fleet.ExitUsage},
		{[]string{"no-such-command"}, fleet.ExitUsage},
	} {
		w := demoWorld(t)
		if got := Main(w.Env, append([]string{"demo", "--hosts", "2", "--"}, test.command...)); got != test.code {
			t.Errorf("%v: exit code %d, not %d: %s", test.command, got, test.code, w.err)
		}
	}
}

func TestDemoWithMoreThanNineHostsMakesSomeUp(t *testing.T) {
	w := demoWorld(t)
	if code := Main(w.Env, []string{"demo", "--hosts", "11", "exec", "demo01*", "--", "echo here"}); code != 0 {
		t.Fatalf("exit code %d: %s", code, w.err)
	}
	if strings.Count(w.out.String(), "here") != 2 {
		t.Errorf("not the two of them:\n%s", w.out)
	}
}

func TestDemoTellsWhatItShowsOnATerminalAlone(t *testing.T) {
	for _, terminal := range []bool{true, false} {
		w := demoWorld(t)
		w.OutTTY = terminal
		if err := runDemo(t.Context(), w.Env, demoOptions{Hosts: 1}, nil); codeOf(err) != fleet.ExitFailed {
			t.Fatalf("%v\n%s", err, w.err)
		}
		if told := strings.Contains(w.err.String(), "of this process, over real SSH on loopback"); told != terminal {
			t.Errorf("on a terminal %v, told %v", terminal, told)
		}
		if strings.Contains(w.err.String(), "fleetctl demo --dir") != terminal {
			t.Errorf("on a terminal %v, said what to try next: %v", terminal, !terminal)
		}
	}
}

func TestDemoRefusesADirectoryThatCannotBeARemote(t *testing.T) {
	w := demoWorld(t)
	dir := filepath.Join(t.TempDir(), "my demo")
	if code := Main(w.Env, []string{"demo", "--hosts", "1", "--dir", dir, "list"}); code != fleet.ExitUsage || !strings.Contains(w.err.String(), "hint: choose one without blanks") {
		t.Errorf("exit code %d: %s", code, w.err)
	}
}

func TestDemoRefusesAFleetOfNone(t *testing.T) {
	w := demoWorld(t)
	if code := Main(w.Env, []string{"demo", "--hosts", "0"}); code != fleet.ExitUsage {
		t.Errorf("exit code %d", code)
	}
}
