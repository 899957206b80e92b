package tui

import (
	"fmt"
	"strings"
	"testing"
)

// driverWithMatches returns a driver in a long log in which the lines of those numbers contain
// "needle".
func driverWithMatches(lines int, has ...int) *driver {
	d := driverWithLog(lines)
	for _, n := range has {
		d.owner.record[n].Line += ": needle"
		if at := n - lines + maxHostLines; at >= 0 {
			r := d.hosts.rows[0]
			r.log.buffer.line(r.log.buffer.first() + at).text += ": needle"
		}
	}
	return d
}

func (d *driver) search(text string) {
	d.press("/")
	for _, letter := range text {
		d.press(string(letter))
	}
	d.press("enter")
}

// TestSearchFindsEveryMatchInRecord goes from match to match, no matter which part of the record is
// loaded, and wraps around at its ends.
func TestSearchFindsEveryMatchInRecord(t *testing.T) {
	const lines = 60000
	has := []int{7, 21000, 21001, 45000, 58900}
	d := driverWithMatches(lines, has...)
	d.search("needle") // backward from the end: the one in the buffer
	if got := d.pane(); got.page != nil || got.atTop() != "line 58900 of it: needle" {
		t.Fatalf("the first line is %q, from the record: %v", got.atTop(), got.page != nil)
	}
	for i, step := range []struct {
		key  string
		want int
	}{{"N", 45000}, {"N", 21001}, {"N", 21000}, {"N", 7}, {"N", 58900}, {"n", 7}, {"n", 21000}, {"n", 21001}, {"n", 45000}, {"n", 58900}, {"n", 7}} {
		d.press(step.key)
		if got := d.top(t); got != step.want {
			t.Fatalf("%d: %s goes to line %d, want %d", i, step.key, got, step.want)
		}
		if kept := len(d.pane().lines().lines); kept > pageLines {
			t.Fatalf("%d lines are kept", kept)
		}
	}
	d.press("G")
	d.press("n") // from the end to the first
	if got := d.top(t); got != 7 {
		t.Errorf("after the last match comes line %d, want 7", got)
	}
}

// atTop returns the first line shown.
func (p *pane) atTop() string { return p.lines().line(p.top).text }

func TestSearchShowsProgressAndNoMatch(t *testing.T) {
	d := driverWithMatches(30000)
	d.press("/", "x", "y", "z")
	_, cmd := d.ui.Update(keyPress("enter"))
	d.wantShown(t, "searching the record")
	if _, again := d.ui.Update(keyPress("n")); again != nil {
		t.Error("a second search started")
	}
	d.carryOut(cmd)
	d.wantShown(t, `no line contains "xyz"`, "line 29999 of it")
	d.wantNoSearch(t)
	d.press("esc")
	d.press("e")
	d.wantShown(t, "no errors or warnings in this log")
}

func (d *driver) wantNoSearch(t *testing.T) {
	t.Helper()
	if shown := d.screen(); strings.Contains(shown, "searching the record") {
		t.Errorf("the search continues:\n%s", shown)
	}
}

func TestCanceledSearchDoesNotScroll(t *testing.T) {
	for _, key := range []string{"esc", "k", "f"} {
		d := driverWithMatches(30000, 5)
		d.press("/", "n", "e", "e", "d")
		_, cmd := d.ui.Update(keyPress("enter"))
		d.press(key)
		d.wantNoSearch(t)
		d.carryOut(cmd)
		if d.pane().page != nil {
			t.Errorf("%s did not cancel the search", key)
		}
	}
}

func TestNextErrorFindsErrorInRecord(t *testing.T) {
	d := driverWithLog(30000)
	d.owner.record[11].Line = "error: builder failed"
	d.press("e")
	d.wantShown(t, fmt.Sprintf("from the record, line %d of", 12), "error: builder failed")
}

// TestSearchReturnsToOnlyMatch has a single match, which is in the buffer.
func TestSearchReturnsToOnlyMatch(t *testing.T) {
	d := driverWithMatches(30000, 29500)
	d.search("needle")
	d.press("n", "n", "N")
	if p := d.pane(); p.page != nil || p.atTop() != "line 29500 of it: needle" {
		t.Errorf("the first line is %q", p.atTop())
	}
}
