package cli

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/internal/tmuxtest"
)

func TestDemoOpensTableAndDeploys(t *testing.T) {
	t.Parallel()
	p := tmuxtest.Open(t, 110, 32, "fleetctl demo --hosts 3")
	p.Until("demo deploy in progress")
	untilRunning(p)
	p.Keys("q")
	p.Until("stop when you leave")
	p.Keys("Escape")
	p.UntilGone("stop when you leave")
	p.Until("press enter on a host for details")
	p.Keys("G", "Enter")
	p.Until("peers/allow.go:87:21")
	p.Keys("q")
	shown := p.Until("exit status 0")
	for _, want := range []string{"runs 3 hosts in this process", "fleetctl demo --dir"} {
		if !strings.Contains(shown, want) {
			t.Errorf("the terminal lacks %q:\n%s", want, shown)
		}
	}
}

func TestDemoStopsWhenTerminalCloses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := tmuxtest.Open(t, 100, 30, fmt.Sprintf("TMPDIR=%q exec fleetctl demo", dir))
	untilRunning(p)
	p.Tmux("kill-server")
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		remaining, err := filepath.Glob(filepath.Join(dir, "fleetctl-demo-*"))
		if err != nil {
			t.Fatal(err)
		}
		if len(remaining) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still running without a terminal: %v", remaining)
		}
	}
}
