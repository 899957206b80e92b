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

// broken is the table, with a fault of its own that shows once a file is there: in what the screen does, in what a key has done away from the
// screen, or in what goes on behind the table.
func broken(where, file string) int {
	fails := func() {
		if _, err := os.Stat(file); err == nil {
			panic("a fault " + where + " the table")
		}
	}
	env := System()
	var o tableOptions
	switch where {
	case "in":
		env.Now = func() time.Time { fails(); return time.Now() }
	case "beside":
		env.Getenv = func(name string) string { fails(); return os.Getenv(name) }
	case "behind":
		o.first = func(*desk) {
			for {
				fails()
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

func TestAPanicGivesTheTerminalBackAndSaysWhatItWas(t *testing.T) {
	for _, test := range []struct{ where, says, stack string }{
		{"in", "a fault in the table", "tui.(*ui).Update"},
		{"beside", "bug in fleetctl: a fault beside the table", "cli.(*desk).history"},
		{"behind", "bug in fleetctl: a fault behind the table", "(*desk).do"},
	} {
		t.Run(test.where, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "fails")
			p := tmuxtest.Open(t, 100, 30, fmt.Sprintf("echo before\nbroken %s %s\necho \"left with $?\"\n"+sane, test.where, file, 3))
			p.Until("1 offline")
			if got, _ := p.Tmux("display-message", "-p", "#{alternate_on} #{cursor_flag}"); got != "1 0\n" {
				t.Errorf("the table is not on a screen of its own: %s", got)
			}
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			p.Keys("Enter")
			p.Until("left with 1")
			shown := p.Until("sane 23")
			for _, want := range []string{"before", test.says, test.stack, "bug in fleetctl"} {
				if !strings.Contains(shown, want) {
					t.Errorf("nothing says %q", want)
				}
			}
			if got, _ := p.Tmux("display-message", "-p", "#{alternate_on} #{cursor_flag}"); got != "0 1\n" {
				t.Errorf("the screen or the cursor is not what it was: %s", got)
			}
			if t.Failed() {
				t.Log(shown)
			}
		})
	}
}
