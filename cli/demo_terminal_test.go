package cli

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTheDemoIsTheTableWithADeployUnderWay(t *testing.T) {
	p := newPane(t, 110, 32, "fleetctl demo --hosts 3")
	p.until("a demo, being deployed")
	p.until("▸ switch")
	p.keys("q")
	p.until("end with the table")
	p.keys("Escape")
	p.gone("end with the table")
	p.until("enter on the host that failed tells why")
	p.keys("G", "Enter")
	p.until("peers/allow.go:87:21")
	p.keys("q")
	shown := p.until("exit status 0")
	for _, want := range []string{"3 hosts of this process", "fleetctl demo --dir"} {
		if !strings.Contains(shown, want) {
			t.Errorf("what is left on the terminal does not say %q:\n%s", want, shown)
		}
	}
}

func TestTheTableEndsWithItsTerminalAndTheDemoWithTheTable(t *testing.T) {
	dir := t.TempDir()
	p := newPane(t, 100, 30, fmt.Sprintf("TMPDIR=%q exec fleetctl demo", dir))
	p.until("▸ switch")
	p.tmux("kill-server")
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
