package tui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/change"
)

// finished ends the run of midway: two hosts failed, and the last one was not started.
func (s *scriptedRun) finished() {
	s.midway()
	for _, host := range []string{"hsb0", "hsb1"} {
		s.finish(host, fleet.Result{Outcome: fleet.Switched, Before: oldRev, After: currentRev, Seconds: 70})
	}
	s.line("mba-imac-work", "out", "Activating linkGeneration")
	s.line("mba-imac-work", "out", "error: /Users/mba/.zshrc is in the way")
	s.finish("mba-imac-work", fleet.Result{Outcome: fleet.Failed, Step: fleet.Activate, Seconds: 41,
		Reason: "activate: files are in the way of home-manager, which does not replace files that it did not write: /Users/mba/.zshrc, /Users/mba/.config/git/config",
		Hint:   "move them, or set backup_extension in hosts.toml, and deploy again"})
	s.finish("imac0", fleet.Result{Outcome: fleet.Unchanged, Before: currentRev, After: currentRev, Seconds: 3})
	s.finish("csb0", fleet.Result{Outcome: fleet.Skipped, Reason: "wave 1 has failed"})
	s.event(2*time.Minute, fleet.Event{Type: fleet.RunFinished, Summary: &fleet.Summary{ExitCode: fleet.ExitFailed, Seconds: 84, Warnings: []string{"hsb0 and hsb1 built 3f9c2ab from different files"}}})
}

func TestReportOfRunNamesFailuresUncut(t *testing.T) {
	d := newDriver(barta(), 80, 60).atRest()
	d.newRun().finished()
	shown := strings.Join(strings.Fields(ansi.Strip(d.screen())), " ")
	for _, want := range []string{
		"[ run k3f9 ]", "switch of 8 hosts to 3f9c2ab by mba@imac0, 1:24", "3 switched, 1 unchanged, 1 degraded, 2 failed, 1 skipped",
		"warning: hsb0 and hsb1 built 3f9c2ab from different files",
		"✗ failed in activate: files are in the way of home-manager, which does not replace files that it did not write: /Users/mba/.zshrc, /Users/mba/.config/git/config",
		"error: /Users/mba/.zshrc is in the way", "hint: move them, or set backup_extension in hosts.toml, and deploy again",
		"- skipped: csb0 (wave 1 has failed)", "✓ switched a1b2c3d → 3f9c2ab 1:10", "= unchanged: imac0",
	} {
		if !strings.Contains(shown, want) {
			t.Errorf("the report lacks %q:\n%s", want, d.screen())
		}
	}
	d.clock = d.clock.Add(time.Minute)
	d.send(tickMsg{})
	d.wantShown(t, "e next-failed", "F retry")
}

func TestReportHasWhatChanged(t *testing.T) {
	d := newDriver(barta(), 100, 60).atRest()
	run := d.newRun()
	run.start("hsb0", "hsb1")
	changes := &change.Set{Counts: map[change.Word]int{"up": 2, "gone": 1}}
	run.finish("hsb0", fleet.Result{Outcome: fleet.Switched, Before: oldRev, After: currentRev, Changes: changes})
	run.finish("hsb1", fleet.Result{Outcome: fleet.Failed})
	run.event(time.Minute, fleet.Event{Type: fleet.RunFinished, Summary: &fleet.Summary{}})
	d.wantShown(t, changes.Totals())
}

func TestReportGivesWayToTheCursor(t *testing.T) {
	d := newDriver(barta(), 100, 40).atRest()
	run := d.newRun()
	run.midway()
	d.press("j")
	run.finished()
	d.wantShown(t, "[ run k3f9 ]")
	d.press("k")
	if d.logs.onReport {
		t.Error("the report is still shown")
	}
	d.press("tab", "tab")
	d.wantShown(t, "[ run k3f9 ]")
	d.press("tab")
	if !d.logs.followCursor {
		t.Error("the tab after the report is not the log of the host under the cursor")
	}
	d.press("tab") // the fleet's log: the operator's choice
	run.finished()
	d.wantShown(t, "[ fleet ]")
}

func TestReportDoesNotReplaceLogThatIsRead(t *testing.T) {
	d := newDriver(barta(), 100, 40).atRest()
	run := d.newRun()
	run.midway()
	d.press("l")
	run.finished()
	if d.logs.onReport {
		t.Error("the report replaced the log")
	}
	d.wantShown(t, "━━ run k3f9 ")
}

func TestNextFailedHostWrapsAround(t *testing.T) {
	d := newDriver(barta(), 100, 40).atRest()
	d.press("e")
	d.wantShown(t, "no host has failed")
	d.newRun().finished()
	var visited []string
	for range 4 {
		d.press("e")
		visited = append(visited, d.list.cursor)
	}
	if want := "[csb1 gpc0 mba-imac-work csb1]"; fmt.Sprint(visited) != want {
		t.Errorf("the cursor went to %v, want %v", visited, want)
	}
	d.press("/", "i", "m", "a", "c", "0", "enter", "e")
	d.wantShown(t, "3 failed hosts hidden by the filter; esc shows all hosts")
}
