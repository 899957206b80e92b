package tui

import (
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// names returns the names of the hosts shown, with headings in brackets.
func (l *list) names() []string {
	var names []string
	for _, it := range l.items {
		if it.row == nil {
			names = append(names, "["+it.heading+"]")
		} else {
			names = append(names, it.Name)
		}
	}
	return names
}

func TestFilter(t *testing.T) {
	for filter, want := range map[string]string{
		"HSB":               "hsb0 hsb1 hsb8",
		"work":              "mba-imac-work imac0 mba-mbp-work", // a tag
		"degr":              "csb1",                             // a state
		"@cloud":            "csb0",
		"kind:home":         "mba-imac-work imac0 mba-mbp-work",
		"not @home":         "mba-imac-work imac0 mba-mbp-work csb0",
		"hsb* and not hsb1": "hsb0 hsb8",
		"  ":                "hsb0 hsb1 hsb8 csb1 gpc0 mba-imac-work imac0 mba-mbp-work csb0",
		// An invalid selector changes nothing.
		"not": "hsb0 hsb1 hsb8 csb1 gpc0 mba-imac-work imac0 mba-mbp-work csb0",
	} {
		d := newDriver(barta(), 100, 30).atRest()
		d.list.filter = filter
		d.arrange()
		if got := strings.Join(d.list.names(), " "); got != want {
			t.Errorf("%q: got %q, want %q", filter, got, want)
		}
	}
}

func TestInvalidFilterShowsWhy(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	d.press("/", "@", "w", "o", "r", "k", "space", "a", "n", "d")
	if d.list.err == nil {
		t.Fatal("no error")
	}
	// The hosts of "@work" stay, and enter does not accept the text.
	d.wantShown(t, firstLine(d.list.err), "imac0")
	d.press("enter")
	if shown := d.screen(); d.prompt == nil || strings.Contains(shown, "hsb0") {
		t.Errorf("the prompt is %v:\n%s", d.prompt, shown)
	}
	d.press("esc")
	d.wantShown(t, "hsb0")
	if d.list.filter != "" || d.prompt != nil {
		t.Errorf("esc left the filter %q", d.list.filter)
	}
}

func TestGroups(t *testing.T) {
	for group, want := range map[grouping]string{
		byTag:  "[@home (5)] hsb0 hsb1 hsb8 csb1 gpc0 [@work (3)] mba-imac-work imac0 mba-mbp-work [@cloud (1)] csb0",
		byWave: "[wave 1 (8)] hsb0 hsb1 hsb8 csb1 gpc0 mba-imac-work imac0 mba-mbp-work [wave 2 (1)] csb0",
		byKind: "[nixos (6)] hsb0 hsb1 hsb8 csb1 gpc0 csb0 [home (3)] mba-imac-work imac0 mba-mbp-work",
	} {
		d := newDriver(barta(), 100, 30).atRest()
		d.list.group = group
		d.arrange()
		if got := strings.Join(d.list.names(), " "); got != want {
			t.Errorf("by %v: got %q, want %q", group, got, want)
		}
	}
	inv := barta()
	inv.Hosts[0].Wave, inv.Hosts[1].Tags = 3, nil
	d := newDriver(inv, 100, 30)
	d.press("o")
	d.wantShown(t, "no tag (1)", "grouped by tag")
	d.press("o")
	if got := d.list.names(); got[0] != "[wave 1 (7)]" || got[len(got)-1] != "hsb0" {
		t.Errorf("waves are not sorted: %v", got)
	}
	d.press("o", "o", "o")
	d.wantShown(t, "not grouped")
}

func TestCursorSkipsHeadings(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	d.press("o", "g") // by tag
	var visited []string
	for range 12 {
		visited = append(visited, d.list.cursor)
		d.press("j")
	}
	if want := "hsb0 hsb1 hsb8 csb1 gpc0 mba-imac-work imac0 mba-mbp-work csb0 csb0 csb0 csb0"; strings.Join(visited, " ") != want {
		t.Errorf("down: %v", visited)
	}
	visited = nil
	for range 10 {
		visited = append(visited, d.list.cursor)
		d.press("k")
	}
	if want := "csb0 mba-mbp-work imac0 mba-imac-work gpc0 csb1 hsb8 hsb1 hsb0 hsb0"; strings.Join(visited, " ") != want {
		t.Errorf("up: %v", visited)
	}
}

func TestCursorMovesToNearestHostWhenFilteredOut(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	d.press("G") // csb0
	d.list.filter = "hsb"
	d.arrange()
	if d.list.cursor != "hsb8" {
		t.Errorf("the cursor is on %q", d.list.cursor)
	}
	d.list.filter = "nothing"
	d.arrange()
	if d.list.cursor != "" || d.current() != nil {
		t.Errorf("the cursor is on %q", d.list.cursor)
	}
	d.press("j", "d", "enter", "space")
	d.wantShown(t, "no host is selected")
	d.list.filter = ""
	d.arrange()
	if d.list.cursor != "hsb0" {
		t.Errorf("the cursor is on %q", d.list.cursor)
	}
}

func TestListScrollsToCursor(t *testing.T) {
	d := newDriver(large(100), 100, 20)
	height := d.tableHeight()
	shown := func() (first, last string) {
		return d.list.items[d.list.top].Name, d.list.items[d.list.top+height-1].Name
	}
	d.press("G")
	if first, last := shown(); last != "host00099" || first != d.hosts.rows[100-height].Name {
		t.Errorf("at the bottom: %s to %s", first, last)
	}
	for range height {
		d.press("k")
	}
	if first, _ := shown(); first != d.list.cursor {
		t.Errorf("the cursor is on %s, the first host is %s", d.list.cursor, first)
	}
	d.press("g")
	if first, _ := shown(); first != "host00000" {
		t.Errorf("at the top: %s", first)
	}
	for range height {
		d.press("j")
	}
	if _, last := shown(); last != d.list.cursor {
		t.Errorf("the cursor is on %s, the last host is %s", d.list.cursor, last)
	}
	at := d.list.at
	d.press("ctrl+d")
	if d.list.at != at+height/2 {
		t.Errorf("half a page is %d lines, want %d", d.list.at-at, height/2)
	}
	d.press("ctrl+u")
	if d.list.at != at {
		t.Errorf("back at %d, want %d", d.list.at, at)
	}
}

func TestSortOrders(t *testing.T) {
	d := newDriver(barta(), 200, 30).atRest()
	for name, want := range map[string]string{
		"kind":       "mba-imac-work", // home comes before nixos
		"behind":     "hsb1",
		"cpu":        "gpc0",
		"wave":       "hsb0",
		"generation": "hsb0",
		"memory":     "hsb0",
	} {
		d.list.sort, d.list.reverse = d.columns.index(name), false
		d.arrange()
		if got := d.list.items[0].Name; got != want {
			t.Errorf("by %s, %s comes first, want %s", name, got, want)
		}
	}
	d.list.sort, d.list.reverse = d.columns.index("wave"), true
	d.arrange()
	if got := d.list.items[0].Name; got != "csb0" {
		t.Errorf("by wave in reverse, %s comes first", got)
	}
}

func TestSortKeysUseShownColumns(t *testing.T) {
	d := newDriver(barta(), 159, 30).atRest()
	d.press("2")
	d.wantShown(t, "KIND▾")
	d.press("2")
	d.wantShown(t, "KIND▴")
	d.press("3")
	d.wantShown(t, "▾G L S A")
	d.press("6")
	d.wantShown(t, " ▾GEN")
	d.press("9")
	if d.columns.chosen[d.list.sort].name != "wave" {
		t.Errorf("9 sorts by %s", d.columns.chosen[d.list.sort].name)
	}
	d = newDriver(barta(), 60, 30).atRest()
	d.press("9")
	d.wantShown(t, "there is no such column to sort by")
}

func TestConfiguredColumns(t *testing.T) {
	set := newColumnSet([]string{"time", "nothing", "state"})
	var names []string
	for _, c := range set.chosen {
		names = append(names, c.name)
	}
	if !slices.Equal(names, []string{"time", "state"}) {
		t.Errorf("columns: %v", names)
	}
	if got := len(newColumnSet(nil).chosen); got != len(ColumnNames()) {
		t.Errorf("%d columns by default", got)
	}
}

func TestColumnsFitTheirWidth(t *testing.T) {
	all := allColumns()
	before := 0
	for width := range 200 {
		sum := minDetailWidth
		fitting := fit(all, width, minDetailWidth)
		for _, c := range fitting {
			sum += c.width + 1
		}
		if len(fitting) < before {
			t.Errorf("%d columns at width %d, %d at a smaller one", len(fitting), width, before)
		}
		if len(fitting) > 1 && sum > width {
			t.Errorf("the columns take %d of %d", sum, width)
		}
		before = len(fitting)
	}
	if before != len(all) {
		t.Errorf("%d columns in a wide window", before)
	}
}

func TestMarkAll(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	count := func() int { return len(d.hosts.marked()) }
	d.press("space", "a")
	if count() != 9 || d.hosts.markedCount != 9 {
		t.Errorf("%d hosts are marked", count())
	}
	d.press("a")
	if count() != 0 || d.hosts.markedCount != 0 {
		t.Errorf("%d hosts are marked", count())
	}
	d.press("/", "h", "s", "b", "enter", "a", "esc")
	if count() != 3 {
		t.Errorf("%d hosts are marked", count())
	}
	d.wantShown(t, "● 3 marked", " ● hsb0", "   csb1")
	d.press("esc")
	if count() != 0 {
		t.Error("esc does not unmark")
	}
}

func TestMouseWheelScrolls(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	d.send(tea.MouseWheelMsg{Button: tea.MouseWheelDown})
	if d.list.cursor != "csb1" {
		t.Errorf("down: the cursor is on %s", d.list.cursor)
	}
	d.send(tea.MouseWheelMsg{Button: tea.MouseWheelUp})
	if d.list.cursor != "hsb0" {
		t.Errorf("up: the cursor is on %s", d.list.cursor)
	}
	d = driverWithLog(100)
	before := 100 - d.logHeight()
	d.screen()
	d.send(tea.MouseWheelMsg{Button: tea.MouseWheelUp})
	if got := d.top(t); got != before-3 {
		t.Errorf("in the log: line %d, want %d", got, before-3)
	}
}

func TestPasteGoesToWhatIsTyped(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	d.send(tea.PasteMsg{Content: "ignored"})
	d.press("/")
	d.send(tea.PasteMsg{Content: "hsb1\nhsb8"})
	if got := d.list.names(); !slices.Equal(got, []string{"hsb1"}) {
		t.Errorf("the filter shows %v", got)
	}
	d.press("esc", ":")
	d.send(tea.PasteMsg{Content: "reboot"})
	d.wantShown(t, ":reboot")
	d.press("esc", "!")
	d.send(tea.PasteMsg{Content: "uptime"})
	d.wantShown(t, "> uptime")
}

func TestShortNamesLeaveTheirHeadWhole(t *testing.T) {
	inv := &inventory.Inventory{Name: "x", Hosts: []*inventory.Host{{Name: "m1", Kind: inventory.NixOS, Wave: 1}}}
	newDriver(inv, 80, 20).wantShown(t, "   HOST STATE")
}

func TestNarrowNameColumnIsCut(t *testing.T) {
	inv := &inventory.Inventory{Name: "x", Hosts: []*inventory.Host{{Name: strings.Repeat("n", 60), Kind: inventory.NixOS, Wave: 1}}}
	d := newDriver(inv, 80, 20)
	if d.nameWidth() != 20 {
		t.Errorf("the name takes %d columns of 80", d.nameWidth())
	}
	if shown := ansi.Strip(d.screen()); !strings.Contains(shown, strings.Repeat("n", 19)+"…") {
		t.Errorf("the name is not cut:\n%s", shown)
	}
}

func TestListFillsWindowThatGrows(t *testing.T) {
	d := newDriver(large(100), 100, 20)
	d.press("G")
	d.send(tea.WindowSizeMsg{Width: 100, Height: 50})
	if want := 100 - d.tableHeight(); d.list.top != want {
		t.Errorf("the first line shown is %d, want %d", d.list.top, want)
	}
}

func TestCursorFollowsHostToTheTop(t *testing.T) {
	d := newDriver(barta(), 200, 30).atRest()
	d.press("G") // csb0, the only one in wave 2
	d.list.sort, d.list.reverse = d.columns.index("wave"), true
	d.arrange()
	if d.list.cursor != "csb0" || d.list.at != 0 {
		t.Errorf("the cursor is on %s, line %d", d.list.cursor, d.list.at)
	}
}

func TestOrderIsUpdatedEverySecond(t *testing.T) {
	for _, test := range []struct {
		name  string
		setup func(*list)
		want  bool // gpc0, which fails, moves to the top
	}{
		{"unsorted", func(*list) {}, false},
		{"by tag", func(l *list) { l.group = byTag }, false},
		{"by state", func(l *list) { l.group = byState }, true},
		{"sorted", func(l *list) { l.sort = 0 }, true},
		{"filtered", func(l *list) { l.filter = "failed" }, true},
	} {
		d := newDriver(barta(), 160, 30).atRest()
		test.setup(&d.list)
		d.arrange()
		run := d.newRun()
		run.start("gpc0")
		run.finish("gpc0", fleet.Result{Outcome: fleet.Failed})
		d.send(tickMsg{})
		first := slices.IndexFunc(d.list.items, func(it item) bool { return it.row != nil })
		if got := first >= 0 && d.list.items[first].Name == "gpc0"; got != test.want {
			t.Errorf("%s: the hosts are %v", test.name, d.list.names())
		}
	}
}

func TestColumnsWithoutFiguresGiveUpTheirRoom(t *testing.T) {
	inv := large(3)
	for _, h := range inv.Hosts {
		h.Wave = 1
	}
	heads := func(d *driver) string {
		d.screen()
		return strings.Join(strings.Fields(strings.SplitN(ansi.Strip(d.screen()), "HOST", 2)[1][:120]), " ")
	}
	d := newDriver(inv, 150, 30)
	if got := heads(d); !strings.HasPrefix(got, "STATE G L S REVISION TIME ▌") {
		t.Errorf("nothing is known, and the heads are %q", got)
	}
	h := healthy(currentRev)
	h.Agent, h.Checkout.Behind = "", 2
	d.send(batchMsg{statuses: []Status{{Host: "host00001", Reachable: true, Health: h, Time: noon}}})
	if got := heads(d); !strings.HasPrefix(got, "STATE G L S REVISION BEHIND GEN CPU MEM TIME ▌") {
		t.Errorf("one host has figures, and the heads are %q", got)
	}
	run := d.newRun()
	run.start("host00000")
	if got := heads(d); !strings.HasPrefix(got, "STATE G L S REVISION BEHIND TIME ▌") {
		t.Errorf("during a run, the heads are %q", got)
	}
	chosen := newDriver(inv, 150, 30)
	chosen.columns = newColumnSet([]string{"state", "wave", "cpu"})
	if got := heads(chosen); !strings.HasPrefix(got, "STATE WAVE CPU ▌") {
		t.Errorf("the operator has chosen columns, and the heads are %q", got)
	}
}

func TestAgentSignIsShownOnceAHostHasAnAgent(t *testing.T) {
	d := newDriver(barta(), 120, 30)
	h := healthy(currentRev)
	h.Agent = ""
	status := Status{Host: "hsb0", Reachable: true, Health: h, Time: noon}
	d.send(batchMsg{statuses: []Status{status}})
	if d.screen(); strings.Contains(d.screen(), "G L S A") {
		t.Errorf("no host has an agent:\n%s", d.screen())
	}
	status.Health = healthy(currentRev)
	d.send(batchMsg{statuses: []Status{status}})
	d.wantShown(t, "G L S A")
}

func TestLongListShowsPosition(t *testing.T) {
	d := newDriver(large(200), 100, 30)
	d.press("j", "j")
	d.wantShown(t, "3/200 ↓")
	d.press("G")
	d.wantShown(t, "↑ 200/200")
	d.press("/")
	for _, r := range "host0001" {
		d.press(string(r))
	}
	d.press("enter")
	d.wantShown(t, "10/10")
}

func TestFocusIsMarked(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	d.wantShown(t, "▌  hsb0", "── fleet ─[ hsb0 ]──")
	d.press("l")
	d.wantShown(t, "▏  hsb0", "━━ fleet ━[ hsb0 ]━━")
}
