package tui

import (
	"slices"
	"testing"
)

func TestPlanOfMarkedHostsIsShownInTab(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	d.options.ReadOnly = "the table was opened with --read-only" // planning changes nothing
	d.press("space", "space", "k", "v")
	if want := [][]string{{"hsb0", "hsb1"}}; !slices.EqualFunc(d.owner.planned, want, slices.Equal) {
		t.Fatalf("planned %v, want %v", d.owner.planned, want)
	}
	d.wantShown(t, "━[ plan ]", "checking what a deploy would do", "planning for 2 hosts")
	d.send(batchMsg{plans: []plan{{"hsb1", []Text{{"note", "2 commits from a1b2c3d to 3f9c2ab"}, {"out", "would build 4 derivations"}}}}})
	d.wantShown(t, "2 commits from a1b2c3d", "would build 4 derivations")
	d.press("tab", "tab")
	d.wantShown(t, "━[ log ]", "no output yet")
	d.press("esc", "k", "enter", "tab") // hsb0 has not answered yet
	d.wantShown(t, "checking what a deploy would do")
}

func TestPlanTabExplainsHowToPlan(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	d.press("enter", "tab")
	d.wantShown(t, "v shows what a deploy would do here")
	d.press("V")
	d.wantShown(t, "building, to show what a deploy would change")
}
