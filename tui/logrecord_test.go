package tui

import (
	"fmt"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/markus-barta/nixfleet/fleet"
)

// driverWithLog returns a driver in the log of hsb0, which has that many lines, all of them in the
// record.
func driverWithLog(lines int) *driver {
	d := newDriver(barta(), 100, 30)
	run := d.newRun()
	run.start("hsb0")
	var all []fleet.Event
	keep := scriptedRun{emit: func(ev fleet.Event) { all = append(all, ev) }, seq: run.seq}
	for i := range lines {
		line := fmt.Sprintf("line %d of it", i)
		keep.line("hsb0", "out", line)
		d.owner.record = append(d.owner.record, Text{"out", line})
	}
	d.send(batchMsg{events: all})
	d.press("l")
	return d
}

// top returns the number of the first line shown.
func (d *driver) top(t *testing.T) (n int) {
	t.Helper()
	lines := strings.Split(d.screen(), "\n")
	first := lines[len(lines)-1-d.logHeight()]
	if _, err := fmt.Sscanf(first, "line %d of it", &n); err != nil {
		t.Fatalf("%q is not a line of the log\n%s", first, strings.Join(lines, "\n"))
	}
	return n
}

func TestScrollingContinuesInRecordAndBack(t *testing.T) {
	const lines = 23456
	d := driverWithLog(lines)
	height := d.logHeight()
	for at := d.top(t); at > 0; {
		d.press("ctrl+u")
		now := d.top(t)
		if now >= at || at-now > height {
			t.Fatalf("from line %d to line %d", at, now)
		}
		at = now
	}
	d.wantShown(t, fmt.Sprintf("from the record, line 1 of %d", lines))
	d.press("k")
	for at := 0; d.pane().page != nil; {
		d.press("ctrl+d")
		now := d.top(t)
		if now <= at || now-at > height {
			t.Fatalf("from line %d to line %d", at, now)
		}
		at = now
	}
	d.wantShown(t, fmt.Sprintf("line %d of it", lines-1))
	if d.pane().scrolled {
		t.Error("the end of the log is not followed")
	}
}

func TestRecordIsNotFolded(t *testing.T) {
	d := newDriver(barta(), 100, 30)
	run := d.newRun()
	run.start("hsb0")
	for i := range 3 * maxHostLines {
		line := fmt.Sprintf("hello> line %d", i)
		run.line("hsb0", "out", line)
		d.owner.record = append(d.owner.record, Text{"out", line})
	}
	d.press("l")
	d.wantShown(t, "▸ 2000 lines  hello> line 5999")
	d.press("k")
	d.wantShown(t, "hello> line 3999", "hello> line 4000", "from the record")
	d.press("z")
	d.wantShown(t, "a record is never folded")
	d.press("g")
	d.wantShown(t, "hello> line 0", "hello> line 1")
}

func TestTopAndBottomOfLongLog(t *testing.T) {
	d := driverWithLog(50000)
	d.press("g")
	if d.top(t) != 0 {
		t.Errorf("g scrolled to line %d, want 0", d.top(t))
	}
	d.press("/", "2", "2", " ", "o", "enter", "n") // from the last match to the first
	d.wantShown(t, "line 22 of it")
	d.press("f")
	d.wantShown(t, "line 49999 of it")
	d.press("g", "G")
	d.wantShown(t, "line 49999 of it")
	if d.pane().scrolled {
		t.Error("G does not follow the end of the log")
	}
}

func TestBufferedLinesAreNotReadFromRecord(t *testing.T) {
	d := driverWithLog(maxHostLines)
	d.press("g", "k")
	if d.pane().page != nil || d.top(t) != 0 {
		t.Error("the record was read")
	}
}

func TestLatePageIsNotShown(t *testing.T) {
	d := driverWithLog(9000)
	d.pane().move(-maxHostLines, &d.logs.style)
	_, cmd := d.ui.Update(keyPress("k"))
	d.press("G")
	d.carryOut(cmd)
	if d.pane().page != nil {
		t.Error("the page is shown although the operator went to the end")
	}
}

// TestRecordIsAlignedByText has lines in the buffer that are not in the record, such as fleetctl's
// own messages.
func TestRecordIsAlignedByText(t *testing.T) {
	d := driverWithLog(9000)
	run := d.newRun()
	run.seq = 1 << 30
	for range 300 {
		run.line("hsb0", "note", "a message of fleetctl")
	}
	d.pane().move(-1<<30, &d.logs.style)
	before := d.top(t)
	d.press("k")
	if got := d.top(t); got != before-1 {
		t.Errorf("above line %d is line %d", before, got)
	}
}

// TestHostPageShowsLogOfLastRun shows the log of a run from before the table was opened, until the
// host logs something new.
func TestHostPageShowsLogOfLastRun(t *testing.T) {
	const lines = 12000
	d := newDriver(barta(), 100, 30)
	for i := range lines {
		d.owner.record = append(d.owner.record, Text{"out", fmt.Sprintf("line %d of it", i)})
	}
	d.press("enter")
	d.wantShown(t, fmt.Sprintf("line %d of it", lines-1), "from the record")
	d.press("ctrl+d", "f")
	if got, want := d.top(t), lines-d.logHeight(); got != want {
		t.Errorf("the first line shown is %d, want %d", got, want)
	}
	d.wantShown(t, fmt.Sprintf("line %d of it", lines-1))
	d.press("g")
	d.wantShown(t, "line 0 of it")
	d.press("G")
	d.wantShown(t, fmt.Sprintf("line %d of it", lines-1))
	run := d.newRun()
	run.start("hsb0")
	run.line("hsb0", "out", "something new")
	d.wantShown(t, "something new")
	d.press("k")
	d.wantShown(t, "something new")
}

func BenchmarkScrollingInRecord(b *testing.B) {
	d := driverWithLog(30000)
	d.press("g")
	d.send(tea.WindowSizeMsg{Width: 160, Height: 50})
	b.ReportAllocs()
	for b.Loop() {
		d.press("j")
		d.View()
	}
}

// TestRecordOfEqualLinesIsAlignedByNumber has a log of nothing but equal lines.
func TestRecordOfEqualLinesIsAlignedByNumber(t *testing.T) {
	const lines = 9000
	d := newDriver(barta(), 100, 30)
	run := d.newRun()
	run.start("hsb0")
	for range lines {
		run.line("hsb0", "out", "the same line")
		d.owner.record = append(d.owner.record, Text{"out", "the same line"})
	}
	d.press("l")
	d.screen()
	d.pane().move(-1<<30, &d.logs.style)
	d.press("k")
	if want := lines - maxHostLines - 1; d.pane().page == nil || d.pane().top != want {
		t.Errorf("the first line shown is %d, want %d", d.pane().top, want)
	}
}
