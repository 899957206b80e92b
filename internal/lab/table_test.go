//go:build lab

package lab_test

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/internal/tmuxtest"
)

// A terminal is a real terminal in which the operator runs fleetctl.
type terminal struct {
	*tmuxtest.Pane
	t *testing.T
}

// openTerminal runs a command line in a new terminal.
func openTerminal(t *testing.T, width, height int, command string) *terminal {
	t.Helper()
	return &terminal{tmuxtest.Open(t, width, height, command), t}
}

// press sends keys with a pause after each, so that Escape and the next key are not read as one.
func (term *terminal) press(keys ...string) {
	for _, key := range keys {
		term.Keys(key)
		time.Sleep(50 * time.Millisecond)
	}
}

// await waits until the screen matches all patterns at once.
func (term *terminal) await(patterns ...string) {
	term.t.Helper()
	term.UntilScreen("does not show "+strings.Join(patterns, " and "), func(screen string) bool {
		return !slices.ContainsFunc(patterns, func(pattern string) bool { return !regexp.MustCompile("(?m)" + pattern).MatchString(screen) })
	})
}

// awaitGone waits until the screen no longer matches pattern.
func (term *terminal) awaitGone(pattern string) {
	term.t.Helper()
	shown := regexp.MustCompile("(?m)" + pattern)
	term.UntilScreen("still shows "+pattern, func(screen string) bool { return !shown.MatchString(screen) })
}

// choices is on the edge of a dialog that is answered with yes or no.
const choices = `y n · `

// accept answers the open question with yes. No has the focus.
func (term *terminal) accept(question string) {
	term.t.Helper()
	term.await(question)
	term.press("Tab", "Enter")
	term.awaitGone(choices)
}

// pushAndRefresh commits words for a host and waits until the table shows the commit, which is then
// the one that it deploys.
func (term *terminal) pushAndRefresh(host, words string) {
	term.t.Helper()
	rev := push(term.t, host, words)
	term.press("r")
	term.await(`main ` + rev[:7])
}

func TestTableSession(t *testing.T) {
	deployHealthy(t, "m1")
	first := deployHealthy(t, "m2")
	table := lab.script + " op env TERM=xterm-256color " + lab.fleetctl
	term := openTerminal(t, 120, 34, table)
	term.await(`m1 .*nixos`, `m2 .*nixos`, `m3 .*home`, `[0-9] hosts`)

	term.press("/", "m", "2", "Enter")
	term.awaitGone(`m1 .*nixos`)
	term.await(`m2 .*nixos`)
	term.press("Escape")
	term.await(`m1 .*nixos`, `m3 .*home`)

	push(t, "m1", "fail-build")
	term.pushAndRefresh("m2", "slow-switch 2")
	term.press("g", "Space", "Space", "d") // marking moves to the next line
	term.accept(`deploy 2 hosts\?`)
	term.press("Tab", "Tab") // the fleet's log, also once the cursor moves
	term.await(`m2 .*▸ (build|activate|confirm)`)
	term.await(`m1 .*✗ failed`, `finished: 1 switched, 1 failed`)

	term.press("a")
	term.await(` marked  `)
	term.press("a")
	term.awaitGone(` marked  `)
	term.press("g", "Enter")
	term.await(`m1 has a part that does not compile`)
	term.press("Escape")
	term.await(`m2 .*nixos`)

	term.pushAndRefresh("m1", "")
	term.press("F")
	term.accept(`deploy 1 host\?`)
	term.awaitGone(`m1 .*✗ failed`)
	term.await(`m1  switched`, `finished: 1 switched$`)

	term.press("j", "R")
	term.await(choices, `current`)
	term.press("j") // to the generation before the previous one, if there is one, and back
	term.press("k")
	term.accept(`m2`)
	for range 100 {
		if systemOf(t, "m2") == first {
			break
		}
		time.Sleep(200 * time.Millisecond)
	}
	if now := systemOf(t, "m2"); now != first {
		t.Errorf("m2 was rolled back to %s, want %s", now, first)
	}
	term.await(`m2 .*(current|reboot|behind)`)

	term.press("s")
	term.await(`mba@m2`)
	term.press("echo from-$USER", "Enter")
	term.await(`^from-mba`)
	term.press("exit", "Enter")
	term.await(`m1 .*nixos`, `m3 .*home`)

	for _, size := range [][2]int{{60, 15}, {250, 70}, {120, 34}} {
		term.Resize(size[0], size[1])
		term.await(`m1 `, `m2 `, `m3 `)
	}

	term.pushAndRefresh("m2", "slow-switch 8")
	term.press("d")
	term.accept(`m2`)
	term.await(`m2 .*▸ activate`)
	if out, err := exec.Command("pkill", "-KILL", "-f", "^"+lab.fleetctl+"$").CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	term.await(`Killed`)

	again := openTerminal(t, 120, 34, table)
	again.await(`was abandoned before it finished`)
	again.press("A", "Tab")
	again.await(`m2  switched`, `finished: 1 switched$`)
	again.press("q")
	again.await(`exit status 0`)
	assertIdle(t, "m2")
	if log := onHost(t, "m2", "cat $(ls -1td .local/state/fleetctl/jobs/*/ | head -n 1)log"); strings.Count(log, "activating m2, ") != 1 {
		t.Errorf("m2 was not activated exactly once:\n%s", log)
	}
}
