package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/tmuxtest"
	"github.com/markus-barta/nixfleet/tui"
)

// panickingTable runs a table that panics once a file exists: while it draws ("draw"), in a command
// started by a key ("command"), or in a goroutine of the controller ("controller").
func panickingTable(place, file string) int {
	panicIfFileExists := func() {
		if _, err := os.Stat(file); err == nil {
			panic("test panic in " + place)
		}
	}
	env := System()
	var o tableOptions
	switch place {
	case "draw":
		env.Now = func() time.Time { panicIfFileExists(); return time.Now() }
	case "command":
		env.Getenv = func(name string) string { panicIfFileExists(); return os.Getenv(name) }
	case "controller":
		o.onStart = func(*tableController) {
			for {
				panicIfFileExists()
				time.Sleep(10 * time.Millisecond)
			}
		}
	}
	inv := &inventory.Inventory{Name: "glass", Branch: "main", Parallel: 1,
		Hosts: []*inventory.Host{{Name: "web", Kind: inventory.NixOS, Address: "127.0.0.1", Port: 1, Wave: 1}}}
	err := runTable(context.Background(), env, o, config{Refresh: time.Hour}, inv)
	if err != nil {
		printError(env.Err, tui.Palette{}, err)
	}
	return exitCode(err, true)
}

func TestPanicRestoresTerminalAndIsReported(t *testing.T) {
	for _, test := range []struct{ place, message, stack string }{
		{"draw", "test panic in draw", "tui.(*ui).Update"},
		{"command", "bug in fleetctl: test panic in command", "cli.(*tableController).history"},
		{"controller", "bug in fleetctl: test panic in controller", "(*tableController).background"},
	} {
		t.Run(test.place, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "panic")
			p := tmuxtest.Open(t, 100, 30, fmt.Sprintf("echo before\npanickingtable %s %s\necho \"table exited with $?\"\n"+printSane, test.place, file, 3))
			p.Until("1 offline")
			if got, _ := p.Tmux("display-message", "-p", "#{alternate_on} #{cursor_flag}"); got != "1 0\n" {
				t.Errorf("the table is not on the alternate screen, or shows the cursor: %s", got)
			}
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			p.Keys("Enter")
			p.Until("table exited with 1")
			shown := p.Until("sane 23")
			for _, want := range []string{"before", test.message, test.stack, "bug in fleetctl"} {
				if !strings.Contains(shown, want) {
					t.Errorf("the terminal lacks %q", want)
				}
			}
			if got, _ := p.Tmux("display-message", "-p", "#{alternate_on} #{cursor_flag}"); got != "0 1\n" {
				t.Errorf("the screen or the cursor was not restored: %s", got)
			}
			if t.Failed() {
				t.Log(shown)
			}
		})
	}
}
