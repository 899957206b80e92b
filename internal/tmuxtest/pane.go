// Package tmuxtest is a real terminal for tests: a pane of a tmux of its own, in which a command line runs, keys are pressed and the
// screen is read.
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

// patience is how long a screen may take to show something.
const screenTimeout = 60 * time.Second

// Pane is such a terminal.
type Pane struct {
	t      testing.TB
	socket string
}

// Open runs a command line of sh in a terminal, and shows its exit status at the end. Without tmux the test is skipped.
func Open(t testing.TB, width, height int, command string) *Pane {
	t.Helper()
	if testing.Short() {
		t.Skip("a run in a real terminal takes its time")
	}
	for _, tool := range []string{"tmux", "git"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("needs " + tool)
		}
	}
	p := &Pane{t: t, socket: filepath.Join(t.TempDir(), "tmux")}
	t.Cleanup(func() { p.Tmux("kill-server") })
	script := filepath.Join(t.TempDir(), "script")
	text := fmt.Sprintf("#!/bin/sh\nunset TMUX\nexport PATH=%q\n%s\necho \"exit status $?\"\nexec sleep 600\n", os.Getenv("PATH"), command)
	if err := os.WriteFile(script, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := p.Tmux("-f", "/dev/null", "new-session", "-d", "-x", fmt.Sprint(width), "-y", fmt.Sprint(height), script); err != nil {
		t.Fatalf("tmux: %v\n%s", err, out)
	}
	return p
}

// Tmux gives the pane's tmux a command, and returns what it prints.
func (p *Pane) Tmux(args ...string) (string, error) {
	out, err := exec.Command("tmux", append([]string{"-S", p.socket}, args...)...).CombinedOutput()
	return string(out), err
}

// Resize makes it another size.
func (p *Pane) Resize(width, height int) {
	p.Tmux("resize-window", "-x", fmt.Sprint(width), "-y", fmt.Sprint(height))
}

// Keys presses keys, by tmux's names for them.
func (p *Pane) Keys(keys ...string) { p.Tmux(append([]string{"send-keys"}, keys...)...) }

// Screen is what it shows.
func (p *Pane) Screen() string {
	shown, _ := p.Tmux("capture-pane", "-p")
	return shown
}

// Until waits until the terminal, with what scrolled out of it, shows text, and returns all of it.
func (p *Pane) Until(text string) string {
	p.t.Helper()
	return p.await("never shows "+text, func() (string, bool) {
		shown, _ := p.Tmux("capture-pane", "-p", "-S", "-200")
		return shown, strings.Contains(shown, text)
	})
}

// Gone waits until the screen does not show text.
func (p *Pane) UntilGone(text string) {
	p.t.Helper()
	p.await("goes on showing "+text, func() (string, bool) {
		shown := p.Screen()
		return shown, !strings.Contains(shown, text)
	})
}

// Await waits until the screen is right, and returns it; what is wrong with it otherwise is "the terminal WRONG".
func (p *Pane) UntilScreen(wrong string, right func(screen string) bool) string {
	p.t.Helper()
	return p.await(wrong, func() (string, bool) {
		shown := p.Screen()
		return shown, right(shown)
	})
}

func (p *Pane) await(wrong string, look func() (shown string, right bool)) string {
	p.t.Helper()
	shown := ""
	for deadline := time.Now().Add(screenTimeout); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		var right bool
		if shown, right = look(); right {
			return shown
		}
	}
	p.t.Fatalf("the terminal %s:\n%s", wrong, shown)
	return ""
}
