package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pane is a real terminal: a pane of a tmux of its own.
type pane struct {
	t      *testing.T
	socket string
}

// newPane runs a command line in a terminal, and shows its exit status at the end.
func newPane(t *testing.T, width, height int, command string) *pane {
	t.Helper()
	if testing.Short() {
		t.Skip("a run in a real terminal takes its time")
	}
	for _, tool := range []string{"tmux", "git"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("there is no %s here", tool)
		}
	}
	p := &pane{t: t, socket: filepath.Join(t.TempDir(), "tmux")}
	t.Cleanup(func() { p.tmux("kill-server") })
	script := filepath.Join(t.TempDir(), "script")
	text := fmt.Sprintf("#!/bin/sh\nunset TMUX\nexport PATH=%q\n%s\necho \"exit status $?\"\nexec sleep 60\n", os.Getenv("PATH"), command)
	if err := os.WriteFile(script, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := p.tmux("-f", "/dev/null", "new-session", "-d", "-x", fmt.Sprint(width), "-y", fmt.Sprint(height), script); err != nil {
		t.Fatalf("tmux: %v\n%s", err, out)
	}
	return p
}

func (p *pane) tmux(args ...string) (string, error) {
	out, err := exec.Command("tmux", append([]string{"-S", p.socket}, args...)...).CombinedOutput()
	return string(out), err
}

// until waits until the terminal, with what scrolled out of it, shows text, and returns all of it.
func (p *pane) until(text string) string {
	p.t.Helper()
	var shown string
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		shown, _ = p.tmux("capture-pane", "-p", "-S", "-200")
		if strings.Contains(shown, text) {
			return shown
		}
	}
	p.t.Fatalf("the terminal never shows %q:\n%s", text, shown)
	return ""
}

func TestARunInARealTerminalSurvivesResizingAndIsStopped(t *testing.T) {
	p := newPane(t, 100, 24, "fleetctl demo --hosts 9 -- deploy --all --yes")
	p.until("waiting                      wave 2") // the block, with its column for bars
	p.tmux("resize-window", "-x", "60", "-y", "15")
	p.until("waiting             wave 2") // and without
	p.tmux("send-keys", "C-c")
	shown := p.until("exit status 130")
	for _, want := range []string{"stopping: no more hosts are started", "ctrl-c again leaves at once", "interrupted before it b", "HOST  "} {
		if !strings.Contains(shown, want) {
			t.Errorf("the terminal does not show %q", want)
		}
	}
	if n := strings.Count(shown, "HOST  "); n != 1 {
		t.Errorf("there are %d tables", n)
	}
	if t.Failed() {
		t.Log(shown)
	}
}
