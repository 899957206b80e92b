package tui

import (
	"slices"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
)

func TestRunsShowReportAndEvents(t *testing.T) {
	d := newDriver(barta(), 110, 40).atRest()
	d.press("H")
	d.wantShown(t, "▌  run1  24 Nov 11:59   1m  switch    3f9c2ab       2  ▸ running", "2 failed", "~ abandoned", "✗ damaged: events.jsonl: line 7 was changed")
	d.press("j")
	d.wantShown(t, "▌  k3f9", "[ report ]", "✗ failed in activate: files are in the way")
	d.press("tab")
	d.wantShown(t, "[ events ]", "run 20261124-120000-k3f9: barta, switch", "build: started")
	d.press("G")
	d.wantShown(t, "▌  dddd", "the record of run 20261001-090000-dddd is damaged")
	d.press("esc")
	if d.runsPage.open || d.list.cursor != "hsb0" {
		t.Error("esc does not lead back to the table")
	}
}

func TestRunsCompareAttachAndPrune(t *testing.T) {
	d := newDriver(barta(), 110, 40).atRest()
	d.press("H", "A")
	if !slices.Equal(d.owner.runs, []string{"20261124-115900-run1"}) || d.runsPage.open {
		t.Errorf("attached to %v", d.owner.runs)
	}
	d.press("H", "j", "A")
	d.wantShown(t, "the run has finished")
	d.press("=")
	d.wantShown(t, "press the key again to compare it with k3f9", "▌● k3f9")
	d.press("j", "=")
	d.wantShown(t, "[ comparison ]", "20261124-120000-k3f9 → 20261123-090000-p2m7", "hsb0  failed → switched")
	d.press("X", "enter")
	d.wantShown(t, "▌  p2m7")
	d.press("X", "y")
	d.wantShown(t, "2 records removed")
}

func TestRunsNeverTargetHosts(t *testing.T) {
	d := newDriver(barta(), 110, 40).atRest()
	d.press("H", "d", "R", "ctrl+r", "!", "space", "x")
	if d.dialog != nil || d.hosts.markedCount > 0 {
		t.Error("a key for hosts works in the list of runs")
	}
	d.wantShown(t, "x does nothing here")
	d.press("l")
	d.wantShown(t, "esc back")
	d.press("d")
	if d.dialog != nil {
		t.Error("a key for hosts works in the report")
	}
}

func TestRunsAreListedAgainWhenRunEnds(t *testing.T) {
	d := newDriver(barta(), 110, 40).atRest()
	d.press("H")
	listed := 0
	list := d.options.Actions.Runs
	d.options.Actions.Runs = func() ([]RecordedRun, error) { listed++; return list() }
	run := d.newRun()
	run.start("hsb0")
	run.finish("hsb0", fleet.Result{Outcome: fleet.Switched})
	run.event(time.Minute, fleet.Event{Type: fleet.RunFinished, Summary: &fleet.Summary{}})
	if listed != 2 {
		t.Errorf("the list was read %d times", listed)
	}
}
