//go:build lab

package main_test

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/internal/tmuxtest"
)

// terminal is a real one, in which an operator's fleetctl runs.
type terminal struct {
	*tmuxtest.Pane
	t *testing.T
}

func openTerminal(t *testing.T, width, height int, command string) *terminal {
	t.Helper()
	return &terminal{tmuxtest.Open(t, width, height, command), t}
}

// press sends keys, one after the other: an escape and what follows it are two.
func (term *terminal) press(keys ...string) {
	for _, key := range keys {
		term.Keys(key)
		time.Sleep(50 * time.Millisecond)
	}
}

// shows waits until the screen matches all patterns at once.
func (term *terminal) shows(patterns ...string) {
	term.t.Helper()
	term.UntilScreen("never shows "+strings.Join(patterns, " and "), func(screen string) bool {
		return !slices.ContainsFunc(patterns, func(pattern string) bool { return !regexp.MustCompile("(?m)" + pattern).MatchString(screen) })
	})
}

func (term *terminal) hides(pattern string) {
	term.t.Helper()
	shown := regexp.MustCompile("(?m)" + pattern)
	term.UntilScreen("goes on showing "+pattern, func(screen string) bool { return !shown.MatchString(screen) })
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

	term.press("a")
	term.shows(` marked  `)
	term.press("a")
	term.hides(` marked  `)
	term.press("g", "Enter")
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

	for _, size := range [][2]int{{60, 15}, {250, 70}, {120, 34}} {
		term.Resize(size[0], size[1])
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
	again.shows(`was abandoned before it finished`)
	again.press("A", "Tab")
	again.shows(`m2  switched`, `has ended: 1 switched$`)
	again.press("q")
	again.shows(`exit status 0`)
	settled(t, "m2")
	if log := on(t, "m2", "cat $(ls -1td .local/state/fleetctl/jobs/*/ | head -n 1)log"); strings.Count(log, "activating m2, ") != 1 {
		t.Errorf("m2 was not activated once:\n%s", log)
	}
}
