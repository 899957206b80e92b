package remote

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestCancelEndsChildrenThatIgnoreSIGTERM cancels a build that does not end with its job. No
// process of the job may be left: its watch would later end a process that is not its own.
func TestCancelEndsChildrenThatIgnoreSIGTERM(t *testing.T) {
	t.Parallel()
	f := newRepoFixture(t)
	f.write(".nix-profile/bin/nix", "#!/bin/sh\ntrap '' TERM\ntouch \"$HOME/building\"\nsleep 300\n")
	f.sh("chmod +x .nix-profile/bin/nix")
	j := f.job("build", "")
	launch := f.shell(j.Launch("t", 0, ""), "022")
	if err := launch.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = launch.Process.Kill()
		_ = launch.Wait()
	}()
	state := filepath.Join(f.home, ".local/state/fleetctl/jobs", j.ID)
	for n := 0; ; n++ {
		if _, err := os.Stat(filepath.Join(f.home, "building")); err == nil {
			break
		}
		if n > 1000 {
			t.Fatal("the build has not started")
		}
		time.Sleep(20 * time.Millisecond)
	}
	text, err := os.ReadFile(filepath.Join(state, "pid"))
	if err != nil {
		t.Fatal(err)
	}
	word, _, _ := strings.Cut(string(text), " ")
	pid, err := strconv.Atoi(word)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Kill(-pid, syscall.SIGKILL)
	out, err := f.shell(Cancel("t", j.ID), "022").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "@t cancelled") {
		t.Errorf("cancel: %v\n%s", err, out)
	}
	for n := 0; !errors.Is(syscall.Kill(-pid, 0), syscall.ESRCH); n++ {
		if n > 100 {
			t.Fatalf("processes of the job are left:\n%s", f.sh("ps -o pid,args -s \"$0\" || :", word))
		}
		time.Sleep(20 * time.Millisecond)
	}
}
