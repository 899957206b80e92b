package tui

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// clickOn clicks on a text on the screen.
func (d *driver) clickOn(t *testing.T, text string) {
	t.Helper()
	for y, line := range strings.Split(ansi.Strip(d.screen()), "\n") {
		if before, _, found := strings.Cut(line, text); found {
			d.send(tea.MouseClickMsg{X: ansi.StringWidth(before), Y: y, Button: tea.MouseLeft})
			return
		}
	}
	t.Fatalf("%q is not on the screen:\n%s", text, d.screen())
}

func TestClicksSelectHostsTabsAndPanels(t *testing.T) {
	for _, width := range []int{100, 200} {
		d := newDriver(barta(), width, 40).atRest()
		d.press("M")
		d.clickOn(t, "csb1")
		if d.list.cursor != "csb1" {
			t.Errorf("the cursor is on %s", d.list.cursor)
		}
		d.newRun().finished()
		d.clickOn(t, "fleet ")
		d.wantShown(t, "─[ fleet ]")
		d.clickOn(t, "run k3f9 ")
		d.wantShown(t, "─[ run k3f9 ]")
		d.clickOn(t, "── csb1")
		d.wantShown(t, "─[ csb1 ]")
	}
}

func TestClickOnLogGivesItTheFocus(t *testing.T) {
	d := newDriver(barta(), 100, 40).atRest()
	d.press("M")
	d.clickOn(t, "no output yet")
	if d.focus != onLog {
		t.Error("the log does not have the focus")
	}
	d.clickOn(t, "hsb8")
	if d.focus != onTable || d.list.cursor != "hsb8" {
		t.Errorf("the cursor is on %s", d.list.cursor)
	}
	d.press("enter")
	d.clickOn(t, "generations")
	d.wantShown(t, "━[ generations ]")
	d.press("esc", "H")
	d.clickOn(t, "p2m7")
	d.wantShown(t, "▌  p2m7")
	d.clickOn(t, "── events")
	d.wantShown(t, "[ events ]")
	d.press("esc", "d")
	d.clickOn(t, "hsb1")
	if d.dialog == nil || d.list.cursor != "hsb8" {
		t.Error("a click works behind a dialog")
	}
}
