package tui

import (
	"fmt"
	"strings"
	"testing"
)

// searched is a driver at a long log in which some lines, by their numbers, have a word.
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

// From one match to the next, whatever of the record is loaded, and around its ends.
func TestASearchFindsWhatIsAnywhereInTheRecord(t *testing.T) {
	const lines = 60000
	has := []int{7, 21000, 21001, 45000, 58900}
	d := driverWithMatches(lines, has...)
	d.search("needle") // back from the end: the one that the tail has
	if got := d.pane(); got.page != nil || got.atTop() != "line 58900 of it: needle" {
		t.Fatalf("it shows %q, of a page: %v", got.atTop(), got.page != nil)
	}
	for i, step := range []struct {
		key  string
		want int
	}{{"N", 45000}, {"N", 21001}, {"N", 21000}, {"N", 7}, {"N", 58900}, {"n", 7}, {"n", 21000}, {"n", 21001}, {"n", 45000}, {"n", 58900}, {"n", 7}} {
		d.press(step.key)
		if got := d.top(t); got != step.want {
			t.Fatalf("%d: %s goes to line %d, not %d", i, step.key, got, step.want)
		}
		if kept := len(d.pane().lines().lines); kept > pageLines {
			t.Fatalf("%d lines are kept", kept)
		}
	}
	d.press("G")
	d.press("n") // from the end on to the first
	if got := d.top(t); got != 7 {
		t.Errorf("after the end comes line %d", got)
	}
}

// atTop is the first line that shows.
func (p *pane) atTop() string { return p.lines().line(p.top).text }

func TestASearchSaysThatItLooksAndThatThereIsNothing(t *testing.T) {
	d := driverWithMatches(30000)
	d.press("/", "x", "y", "z")
	_, cmd := d.ui.Update(keyPress("enter"))
	d.wantShown(t, "searching the record")
	if _, again := d.ui.Update(keyPress("n")); again != nil {
		t.Error("it looks twice at once")
	}
	d.carryOut(cmd)
	d.wantShown(t, `no line contains "xyz"`, "line 29999 of it")
	d.mustNotLook(t)
	d.press("esc")
	d.press("e")
	d.wantShown(t, "no errors or warnings in this log")
}

func (d *driver) mustNotLook(t *testing.T) {
	t.Helper()
	if shown := d.screen(); strings.Contains(shown, "searching the record") {
		t.Errorf("it goes on looking:\n%s", shown)
	}
}

func TestASearchThatIsGivenUpTakesNobodyAnywhere(t *testing.T) {
	for _, key := range []string{"esc", "k", "f"} {
		d := driverWithMatches(30000, 5)
		d.press("/", "n", "e", "e", "d")
		_, cmd := d.ui.Update(keyPress("enter"))
		d.press(key)
		d.mustNotLook(t)
		d.carryOut(cmd)
		if d.pane().page != nil {
			t.Errorf("%s: it goes to what it found", key)
		}
	}
}

func TestTheNextErrorIsFoundInTheRecordToo(t *testing.T) {
	d := driverWithLog(30000)
	d.owner.record[11].Line = "error: builder failed"
	d.press("e")
	d.wantShown(t, fmt.Sprintf("from the record, line %d of", 12), "error: builder failed")
}

// Where only what the table has of its own matches, that is gone to.
func TestASearchComesBackToTheOnlyLineThatMatches(t *testing.T) {
	d := driverWithMatches(30000, 29500)
	d.search("needle")
	d.press("n", "n", "N")
	if p := d.pane(); p.page != nil || p.atTop() != "line 29500 of it: needle" {
		t.Errorf("it shows %q", p.atTop())
	}
}
