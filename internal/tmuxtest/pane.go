// Package tmuxtest runs programs in a real terminal for tests.
//
// [Open] starts a private tmux server with one [Pane] and runs a command line in it. The test then
// sends keys and waits until the pane shows, or no longer shows, what it expects.
package tmuxtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// screenTimeout is how long a pane may take to show what a test waits for.
const screenTimeout = 60 * time.Second

// A Pane is a terminal in which a command runs.
type Pane struct {
	t      testing.TB
	socket string
}

// Open runs an sh command line in a new terminal. When the command exits, the terminal shows "exit
// status N". Open skips the test if tmux is not installed, and in short mode.
func Open(t testing.TB, width, height int, command string) *Pane {
	t.Helper()
	if testing.Short() {
		t.Skip("a run in a real terminal is slow")
	}
	for _, tool := range []string{"tmux", "git"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("needs " + tool)
		}
	}
	p := &Pane{t: t, socket: filepath.Join(t.TempDir(), "tmux")}
	t.Cleanup(func() { p.Tmux("kill-server") })
	script := filepath.Join(t.TempDir(), "script")
	text := fmt.Sprintf("#!/bin/sh\nunset TMUX\nexport PATH=%q\n%s\necho \"exit status $?\"\nexec sleep 600\n",
		os.Getenv("PATH"), command)
	if err := os.WriteFile(script, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	size := []string{"-x", fmt.Sprint(width), "-y", fmt.Sprint(height)}
	args := append(append([]string{"-f", "/dev/null", "new-session", "-d"}, size...), script)
	if out, err := p.Tmux(args...); err != nil {
		t.Fatalf("tmux: %v\n%s", err, out)
	}
	return p
}

// Tmux runs a command of the pane's tmux server and returns its output.
func (p *Pane) Tmux(args ...string) (string, error) {
	out, err := exec.Command("tmux", append([]string{"-S", p.socket}, args...)...).CombinedOutput()
	return string(out), err
}

// Resize changes the size of the terminal.
func (p *Pane) Resize(width, height int) {
	p.Tmux("resize-window", "-x", fmt.Sprint(width), "-y", fmt.Sprint(height))
}

// Keys presses keys, given by their tmux names.
func (p *Pane) Keys(keys ...string) { p.Tmux(append([]string{"send-keys"}, keys...)...) }

// Screen returns the text on the screen.
func (p *Pane) Screen() string {
	screen, _ := p.Tmux("capture-pane", "-p")
	return screen
}

// Record writes all that programs print to the terminal from now on to a file, byte for byte.
func (p *Pane) Record(file string) {
	p.t.Helper()
	if out, err := p.Tmux("pipe-pane", fmt.Sprintf("cat >'%s'", file)); err != nil {
		p.t.Fatalf("tmux: %v\n%s", err, out)
	}
}

// Until waits until the terminal shows text, including its last 200 lines of history, and returns
// everything it shows.
func (p *Pane) Until(text string) string {
	p.t.Helper()
	return p.wait("never shows "+text, func() (string, bool) {
		screen, _ := p.Tmux("capture-pane", "-p", "-S", "-200")
		return screen, strings.Contains(screen, text)
	})
}

// UntilGone waits until the screen no longer shows text.
func (p *Pane) UntilGone(text string) {
	p.t.Helper()
	p.wait("still shows "+text, func() (string, bool) {
		screen := p.Screen()
		return screen, !strings.Contains(screen, text)
	})
}

// UntilScreen waits until done reports true for the screen, and returns the screen. On timeout, the
// test fails with "the terminal PROBLEM".
func (p *Pane) UntilScreen(problem string, done func(screen string) bool) string {
	p.t.Helper()
	return p.wait(problem, func() (string, bool) {
		screen := p.Screen()
		return screen, done(screen)
	})
}

func (p *Pane) wait(problem string, poll func() (screen string, done bool)) string {
	p.t.Helper()
	screen := ""
	for deadline := time.Now().Add(screenTimeout); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		var done bool
		if screen, done = poll(); done {
			return screen
		}
	}
	p.t.Fatalf("the terminal %s:\n%s", problem, screen)
	return ""
}
