//go:build lab

package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// terminal is a real one, a pane of a tmux of its own, in which an operator's fleetctl runs.
type terminal struct {
	t      *testing.T
	socket string
}

func openTerminal(t *testing.T, width, height int, command string) *terminal {
	t.Helper()
	term := &terminal{t: t, socket: filepath.Join(t.TempDir(), "tmux")}
	t.Cleanup(func() { _, _ = term.tmux("kill-server") })
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nunset TMUX\n"+command+"\necho \"exit status $?\"\nexec sleep 600\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := term.tmux("-f", "/dev/null", "new-session", "-d", "-x", fmt.Sprint(width), "-y", fmt.Sprint(height), script); err != nil {
		t.Fatalf("tmux: %v\n%s", err, out)
	}
	return term
}

func (term *terminal) tmux(args ...string) (string, error) {
	out, err := exec.Command("tmux", append([]string{"-S", term.socket}, args...)...).CombinedOutput()
	return string(out), err
}

// press sends keys, by tmux's names for them.
func (term *terminal) press(keys ...string) {
	term.t.Helper()
	for _, key := range keys {
		if out, err := term.tmux("send-keys", key); err != nil {
			term.t.Fatalf("%s: %v %s", key, err, out)
		}
		time.Sleep(50 * time.Millisecond) // an escape and what follows it are two keys
	}
}

// shows waits until the screen matches each pattern, and returns it.
func (term *terminal) shows(patterns ...string) string {
	term.t.Helper()
	screen, missing := "", ""
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		screen, _ = term.tmux("capture-pane", "-p")
		missing = ""
		for _, pattern := range patterns {
			if !regexp.MustCompile("(?m)" + pattern).MatchString(screen) {
				missing = pattern
			}
		}
		if missing == "" {
			return screen
		}
	}
	term.t.Fatalf("the screen never shows %q:\n%s", missing, screen)
	return ""
}

func (term *terminal) hides(pattern string) {
	term.t.Helper()
	screen := ""
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if screen, _ = term.tmux("capture-pane", "-p"); !regexp.MustCompile("(?m)" + pattern).MatchString(screen) {
			return
		}
	}
	term.t.Fatalf("the screen goes on showing %q:\n%s", pattern, screen)
}

// agreed answers the question that is open with yes. Cancel has the focus.
func (term *terminal) agreed(question string) {
	term.t.Helper()
	term.shows(question)
	term.press("Tab", "Enter")
	term.hides(`Cancel \]`)
}

// pushes gives a host words, and waits until the table has heard of the commit: what it shows is what it deploys.
func (term *terminal) pushes(host, words string) {
	term.t.Helper()
	rev := push(term.t, host, words)
	term.press("r")
	term.shows(`main ` + rev[:7])
}

func TestLabTheTableFromStartToEnd(t *testing.T) {
	healthy(t, "m1")
	first := healthy(t, "m2")
	table := "testdata/lab/lab op env TERM=xterm-256color " + lab.fleetctl
	term := openTerminal(t, 120, 34, table)
	term.shows(`m1 .*nixos`, `m2 .*nixos`, `m3 .*home`, `[0-9] hosts`)

	term.press("/", "m", "2", "Enter")
	term.hides(`m1 .*nixos`)
	term.shows(`m2 .*nixos`)
	term.press("Escape")
	term.shows(`m1 .*nixos`, `m3 .*home`)

	push(t, "m1", "fail-build")
	term.pushes("m2", "slow-switch 2")
	term.press("g", "Space", "Space", "d") // marking goes on to the next line
	term.agreed(`deploy 2 hosts\?`)
	term.press("Tab") // the fleet's log
	term.shows(`m2 .*▸ (build|activate|confirm)`)
	term.shows(`m1 .*✗ failed`, `has ended: 1 switched, 1 failed`)

	term.press("Escape", "a", "a", "g", "Enter")
	term.shows(`m1 has a part that does not compile`)
	term.press("Escape")
	term.shows(`m2 .*nixos`)

	term.pushes("m1", "")
	term.press("F")
	term.agreed(`deploy 1 host\?`)
	term.hides(`m1 .*✗ failed`)
	term.shows(`m1  switched`, `has ended: 1 switched$`)

	term.press("j", "R")
	term.shows(`Cancel \]`, `current`)
	term.press("j") // from the one before to the one before that, should there be one, and back
	term.press("k")
	term.agreed(`m2`)
	for range 100 {
		if systemOf(t, "m2") == first {
			break
		}
		time.Sleep(200 * time.Millisecond)
	}
	if now := systemOf(t, "m2"); now != first {
		t.Errorf("m2 was rolled back to %s, want %s", now, first)
	}
	term.shows(`m2 .*(fine|reboot|behind)`)

	term.press("s")
	term.shows(`mba@m2`)
	term.press("echo from-$USER", "Enter")
	term.shows(`^from-mba`)
	term.press("exit", "Enter")
	term.shows(`m1 .*nixos`, `m3 .*home`)

	for _, size := range [][2]string{{"60", "15"}, {"250", "70"}, {"120", "34"}} {
		_, _ = term.tmux("resize-window", "-x", size[0], "-y", size[1])
		term.shows(`m1 `, `m2 `, `m3 `)
	}

	term.pushes("m2", "slow-switch 8")
	term.press("d")
	term.agreed(`m2`)
	term.shows(`m2 .*▸ activate`)
	if out, err := exec.Command("pkill", "-KILL", "-f", "^"+lab.fleetctl+"$").CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	term.shows(`Killed`)

	again := openTerminal(t, 120, 34, table)
	again.shows(`was left before its end`)
	again.press("A", "Tab")
	again.shows(`m2  switched`, `has ended: 1 switched$`)
	again.press("q")
	again.shows(`exit status 0`)
	settled(t, "m2")
	if log := on(t, "m2", "cat $(ls -1td .local/state/fleetctl/jobs/*/ | head -n 1)log"); strings.Count(log, "activating m2, ") != 1 {
		t.Errorf("m2 was not activated once:\n%s", log)
	}
}
