package tui

import (
	"fmt"
	"strings"
	"testing"
)

// searched is a desk at a long log in which some lines, by their numbers, have a word.
func searched(lines int, has ...int) *desk {
	d := talkative(lines)
	for _, n := range has {
		d.asked.record[n].Line += ": needle"
		if at := n - lines + hostLines; at >= 0 {
			r := d.rows[0]
			r.log.tail.line(r.log.tail.first() + at).text += ": needle"
		}
	}
	return d
}

func (d *desk) search(text string) {
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
	d := searched(lines, has...)
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
	d := searched(30000)
	d.press("/", "x", "y", "z")
	_, cmd := d.ui.Update(keyOf("enter"))
	d.mustShow(t, "looking through the record")
	if _, again := d.ui.Update(keyOf("n")); again != nil {
		t.Error("it looks twice at once")
	}
	d.carryOut(cmd)
	d.mustShow(t, `no line has "xyz"`, "line 29999 of it")
	d.mustNotLook(t)
	d.press("esc")
	d.press("e")
	d.mustShow(t, "no line tells of something wrong")
}

func (d *desk) mustNotLook(t *testing.T) {
	t.Helper()
	if shown := d.screen(); strings.Contains(shown, "looking through") {
		t.Errorf("it goes on looking:\n%s", shown)
	}
}

func TestASearchThatIsGivenUpTakesNobodyAnywhere(t *testing.T) {
	for _, key := range []string{"esc", "k", "f"} {
		d := searched(30000, 5)
		d.press("/", "n", "e", "e", "d")
		_, cmd := d.ui.Update(keyOf("enter"))
		d.press(key)
		d.mustNotLook(t)
		d.carryOut(cmd)
		if d.pane().page != nil {
			t.Errorf("%s: it goes to what it found", key)
		}
	}
}

func TestTheNextErrorIsFoundInTheRecordToo(t *testing.T) {
	d := talkative(30000)
	d.asked.record[11].Line = "error: builder failed"
	d.press("e")
	d.mustShow(t, fmt.Sprintf("from the record, line %d of", 12), "error: builder failed")
}

// Where only what the table has of its own matches, that is gone to.
func TestASearchComesBackToTheOnlyLineThatMatches(t *testing.T) {
	d := searched(30000, 29500)
	d.search("needle")
	d.press("n", "n", "N")
	if p := d.pane(); p.page != nil || p.atTop() != "line 29500 of it: needle" {
		t.Errorf("it shows %q", p.atTop())
	}
}
