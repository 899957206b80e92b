package cli

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/internal/tmuxtest"
)

func TestTheDemoIsTheTableWithADeployUnderWay(t *testing.T) {
	p := tmuxtest.Open(t, 110, 32, "fleetctl demo --hosts 3")
	p.Until("a demo, being deployed")
	p.Until("▸ switch")
	p.Keys("q")
	p.Until("end with the table")
	p.Keys("Escape")
	p.UntilGone("end with the table")
	p.Until("enter on a host tells how it went")
	p.Keys("G", "Enter")
	p.Until("peers/allow.go:87:21")
	p.Keys("q")
	shown := p.Until("exit status 0")
	for _, want := range []string{"3 hosts of this process", "fleetctl demo --dir"} {
		if !strings.Contains(shown, want) {
			t.Errorf("what is left on the terminal does not say %q:\n%s", want, shown)
		}
	}
}

func TestTheTableEndsWithItsTerminalAndTheDemoWithTheTable(t *testing.T) {
	dir := t.TempDir()
	p := tmuxtest.Open(t, 100, 30, fmt.Sprintf("TMPDIR=%q exec fleetctl demo", dir))
	p.Until("▸ switch")
	p.Tmux("kill-server")
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		left, err := filepath.Glob(filepath.Join(dir, "fleetctl-demo-*"))
		if err != nil {
			t.Fatal(err)
		}
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("it goes on without a terminal: %v", left)
		}
	}
}
