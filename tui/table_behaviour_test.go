package tui

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
)

func (d *desk) mustShow(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if shown := ansi.Strip(d.screen()); !strings.Contains(shown, text) {
			t.Errorf("nothing says %q on\n%s", text, shown)
		}
	}
}

func TestActionsAreForTheMarkedHostsAndElseForTheOneUnderTheCursor(t *testing.T) {
	d := newDesk(barta(), 100, 30).rest()
	d.press("j", "d", "tab", "enter")
	d.press("g", "space", "j", "space", "d", "tab", "enter")
	if want := [][]string{{"hsb1"}, {"hsb0", "hsb8"}}; !slices.EqualFunc(d.asked.hosts, want, slices.Equal) {
		t.Errorf("deployed to %v, want %v", d.asked.hosts, want)
	}
}

func TestEnterAloneChangesNothing(t *testing.T) {
	d := newDesk(barta(), 100, 30).rest()
	d.press("d", "enter", "x", "enter", "d", "esc")
	if len(d.asked.hosts)+len(d.asked.runs) > 0 {
		t.Errorf("Cancel had the focus, and yet %v", d.asked)
	}
}

func TestTheWholeFleetWantsItsCountTyped(t *testing.T) {
	d := newDesk(barta(), 100, 30).rest()
	d.press("a", "d", "enter", "8", "enter", "tab", "enter")
	if len(d.asked.hosts) > 0 {
		t.Fatalf("deployed to %v after a wrong count", d.asked.hosts)
	}
	d.press("backspace", "9", "enter")
	if len(d.asked.hosts) != 1 || len(d.asked.hosts[0]) != 9 {
		t.Errorf("deployed to %v", d.asked.hosts)
	}
}

func TestSortingAndFilteringCannotMoveATarget(t *testing.T) {
	d := newDesk(barta(), 100, 30).rest()
	d.press("j", "j") // hsb8
	d.press("1", "o", "o", "S")
	if d.list.cursor != "hsb8" {
		t.Errorf("the cursor went to %s", d.list.cursor)
	}
	d.press("/", "h", "s", "b", "enter", "d", "tab")
	d.tell().ends("hsb0", fleet.Result{Outcome: fleet.Failed}) // the fleet changes while the question is open
	d.send(batchMsg{statuses: []Status{{Host: "hsb8", Time: noon}}})
	d.send(tickMsg{})
	d.press("enter")
	if want := [][]string{{"hsb8"}}; !slices.EqualFunc(d.asked.hosts, want, slices.Equal) {
		t.Errorf("deployed to %v, want %v", d.asked.hosts, want)
	}
}

func TestAHostThatIsAtWorkIsNotDeployedTo(t *testing.T) {
	d := newDesk(barta(), 100, 30)
	d.tell().middle()
	d.press("d")
	if d.dialog != nil {
		t.Fatal("it asks")
	}
	d.mustShow(t, "hsb0 is in run 20261124-120000-k3f9 already")
}

func TestRetryIsForTheHostsWhereItFailed(t *testing.T) {
	d := newDesk(barta(), 100, 30)
	d.press("F")
	d.mustShow(t, "no host has failed")
	d.tell().middle()
	d.press("F", "tab", "enter")
	if want := [][]string{{"csb1", "gpc0"}}; !slices.EqualFunc(d.asked.hosts, want, slices.Equal) {
		t.Errorf("deployed to %v, want %v", d.asked.hosts, want)
	}
}

func TestCancelNamesTheRunAndItsHosts(t *testing.T) {
	d := newDesk(barta(), 100, 30)
	d.tell().middle()
	d.press("x")
	d.mustShow(t, "cancel run 20261124-120000-k3f9?", "hsb0, hsb1, mba-imac-work, imac0, csb0")
	d.press("tab", "enter")
	if !slices.Equal(d.asked.runs, []string{"20261124-120000-k3f9"}) {
		t.Errorf("cancelled %v", d.asked.runs)
	}
}

func TestReadOnlyChangesNothingAndSaysWhy(t *testing.T) {
	d := newDesk(barta(), 100, 40).rest()
	d.o.ReadOnly = "the table was opened with --read-only"
	for _, a := range actions() {
		if a.changes && a.where&inTable != 0 && len(a.keys) > 0 {
			d.press(a.keys[0])
			d.mustShow(t, a.name+" is off: the table was opened with --read-only")
		}
	}
	d.press("?")
	d.mustShow(t, "some are off, as the table was opened with --read-only", "switch to nothing (off)")
	d.press("esc")
	if shown := d.screen(); strings.Contains(shown, "deploy") {
		t.Errorf("it offers what is off:\n%s", shown)
	}
}

func TestEscGoesBackAndNeverQuits(t *testing.T) {
	d := newDesk(barta(), 100, 30).rest()
	d.press("/", "h", "s", "b", "enter", "enter", "?", "esc")
	if d.help || d.open == "" {
		t.Fatal("esc did not go from help to the host")
	}
	d.press("esc")
	if d.open != "" || d.list.filter == "" {
		t.Fatal("esc did not go from the host to the table")
	}
	d.press("esc")
	if d.list.filter != "" {
		t.Error("esc did not clear the filter")
	}
	if _, cmd := d.ui.Update(keyOf("esc")); cmd != nil {
		t.Error("esc in the table does something")
	}
}

func TestLeavingWhileARunGoesOnSaysHowToComeBack(t *testing.T) {
	d := newDesk(barta(), 100, 30)
	if _, cmd := d.ui.Update(keyOf("q")); cmd == nil {
		t.Error("nothing goes on, and q does not quit")
	}
	d.tell().middle()
	d.press("q")
	d.mustShow(t, "fleetctl attach 20261124-120000-k3f9")
	if _, cmd := d.ui.Update(keyOf("ctrl+c")); cmd == nil {
		t.Error("ctrl-c does not leave")
	}
}

func TestEveryKeyThatCanBePressedIsInTheHelp(t *testing.T) {
	d := newDesk(barta(), 120, 30).rest()
	help := strings.Join(d.helpLines(), "\n")
	for _, a := range d.keys.actions {
		if !strings.HasPrefix(a.name, "sort-") && !strings.Contains(help, " "+a.name+" ") {
			t.Errorf("%s is not in the help", a.name)
		}
	}
	if clash := KeyClash(nil); clash != "" {
		t.Error(clash)
	}
}

func TestTheHelpHasTheKeysThatWereSet(t *testing.T) {
	d := newDesk(barta(), 120, 60).rest()
	d.keys = newKeymap(map[string][]string{"deploy": {"D"}})
	d.press("?")
	d.mustShow(t, "  D             deploy")
	d.press("esc", "d")
	if d.dialog != nil {
		t.Error("the old key deploys, too")
	}
	d.press("D")
	if d.dialog == nil {
		t.Error("the new key does not deploy")
	}
}

func TestThePaletteFindsWhatOneDoesNotKnowTheKeyOf(t *testing.T) {
	d := newDesk(barta(), 100, 30).rest()
	d.press(":", "d", "e", "p", "enter")
	d.mustShow(t, "deploy 1 host?")
}

func TestAPasswordIsAskedForAndDoesNotShow(t *testing.T) {
	d := newDesk(barta(), 100, 30).rest()
	q := &question{Question: Question{Lines: []string{"sudo password for hsb0: "}}, secret: true, answer: make(chan reply, 1)}
	d.press("d") // a person is busy with something else: the question waits
	d.send(askMsg{q})
	d.press("esc")
	d.mustShow(t, "sudo password for hsb0:")
	d.press("s", "e", "c", "q")
	if d.mustShow(t, "••••"); strings.Contains(d.screen(), "secq") {
		t.Error("the password shows")
	}
	d.press("enter")
	if r := <-q.answer; r != (reply{"secq", true}) {
		t.Errorf("the answer is %v", r)
	}
}

func TestFocusLostForLongPausesTheLooking(t *testing.T) {
	d := newDesk(barta(), 100, 30)
	d.send(tea.BlurMsg{})
	d.clock = noon.Add(awayAfter / 2)
	d.carryOut(d.ui.second())
	if len(d.asked.pauses) > 0 {
		t.Error("paused too early")
	}
	d.clock = noon.Add(awayAfter + time.Minute)
	d.ui.now = d.clock
	d.carryOut(d.ui.second())
	d.send(tea.FocusMsg{})
	if !slices.Equal(d.asked.pauses, []bool{true, false}) {
		t.Errorf("away: %v", d.asked.pauses)
	}
}

func TestABadEndStaysUntilTheNextRunAndAGoodOneDoesNot(t *testing.T) {
	d := newDesk(barta(), 100, 30)
	d.send(batchMsg{target: &Target{Revision: wanted}})
	run := d.tell()
	run.begins("hsb0", "hsb1")
	run.ends("hsb0", fleet.Result{Outcome: fleet.Failed, Reason: "it does not compile"})
	run.ends("hsb1", fleet.Result{Outcome: fleet.Switched, After: wanted})
	d.mustShow(t, "✗ failed", "✓ switched")
	for _, host := range []string{"hsb0", "hsb1"} {
		d.send(batchMsg{statuses: []Status{{Host: host, Reachable: true, Health: healthy(wanted), Time: noon.Add(time.Hour)}}})
	}
	d.mustShow(t, "✗ failed", "✓ current")
}

func TestTheLogIsFollowedSearchedAndCopied(t *testing.T) {
	d := newDesk(barta(), 100, 30)
	run := d.tell()
	run.begins("hsb0")
	for i := range 100 {
		run.says("hsb0", "out", "line "+strings.Repeat("x", i%7))
	}
	run.says("hsb0", "out", "error: builder for hello failed")
	for range 50 {
		run.says("hsb0", "out", "after")
	}
	d.press("l")
	if strings.Contains(d.screen(), "error:") {
		t.Fatal("the end is not followed")
	}
	d.press("e")
	d.mustShow(t, "error: builder", "scrolled")
	run.says("hsb0", "out", "the newest")
	if strings.Contains(d.screen(), "the newest") {
		t.Error("what is read scrolls away")
	}
	d.press("f")
	d.mustShow(t, "the newest")
	d.press("/", "B", "u", "i", "l", "d", "e", "r", "enter")
	d.mustShow(t, "error: builder", "/builder")
	if _, cmd := d.ui.Update(keyOf("c")); cmd == nil {
		t.Error("nothing is copied")
	}
	d.mustShow(t, "copied")
}

func TestALogOfItsOwnStaysInItsTab(t *testing.T) {
	d := newDesk(barta(), 100, 30)
	run := d.tell()
	run.begins("hsb0", "hsb1")
	run.says("hsb0", "out", "from hsb0")
	run.says("hsb1", "warn", "from hsb1")
	d.press("P", "tab") // fleet
	d.mustShow(t, "run 20261124-120000-k3f9: switch of 2 hosts", "hsb1  from hsb1")
	d.press("tab", "j", "j", "j") // the pinned one, wherever the cursor goes
	d.mustShow(t, "from hsb0")
	d.press("tab") // that of the cursor
	d.mustShow(t, "nothing has been said yet")
}

func TestAPanicBesideTheTableGivesTheTerminalBackFirst(t *testing.T) {
	s := newScreen(t, 100, 30)
	table := s.shown(Settings{Theme: Terminal}, colorprofile.ASCII, false, nil)
	table.Guard(func() { panic("a fault") })
	if f := table.ui.fault; f == nil || !strings.HasSuffix(f.Error(), "bug in fleetctl: a fault") || !strings.HasPrefix(string(f.Stack), "goroutine") {
		t.Errorf("the table ends with %v", f)
	}
	if text := s.text(); strings.Contains(text, "hsb0") {
		t.Errorf("the table is still on the screen:\n%s", text)
	}
}

func TestSortingGoesThroughTheColumnsThatShow(t *testing.T) {
	d := newDesk(barta(), 60, 15).rest()
	d.press("S")
	d.mustShow(t, "sorted by state", "STATE▾")
	d.press("I")
	d.mustShow(t, "STATE▴")
	d.press("S")
	d.mustShow(t, "sorted by time")
	d.press("S")
	d.mustShow(t, "in the inventory's order")
}

func TestAHostThatIsGoneShowsSinceWhen(t *testing.T) {
	d := newDesk(barta(), 100, 30).rest()
	d.clock = noon.Add(7 * time.Minute)
	d.send(batchMsg{statuses: []Status{{Host: "hsb0", Err: offlineError("hsb0: connect: no route to host"), Time: d.clock}}})
	d.mustShow(t, "10m          connect: no route") // three minutes before noon it answered
	d.press("enter")
	d.mustShow(t, "last answered at 11:57:00")
	d.press("esc")
	run := d.tell()
	run.begins("hsb1")
	run.step("hsb1", fleet.Build, time.Second)
	run.event(9*time.Second, fleet.Event{Type: fleet.FactLearned, Host: "hsb1", Key: fleet.FactReconnect, Value: fleet.Lost})
	d.mustShow(t, "~ reconnecting", "lost at 12:00:09")
	run.event(20*time.Second, fleet.Event{Type: fleet.FactLearned, Host: "hsb1", Key: fleet.FactReconnect, Value: fleet.Back})
	if shown := d.screen(); strings.Contains(shown, "lost at") {
		t.Errorf("it is still called lost:\n%s", shown)
	}
}

func TestAnOpenHostIsTheOneThatIsActedOn(t *testing.T) {
	d := newDesk(barta(), 100, 30).rest()
	d.press("space", "space", "enter", "d", "tab", "enter") // hsb8, while two others are marked
	if want := [][]string{{"hsb8"}}; !slices.EqualFunc(d.asked.hosts, want, slices.Equal) {
		t.Errorf("deployed to %v, want %v", d.asked.hosts, want)
	}
}

func TestARunThatWasLeftDoesNotStandBeforeANewerOne(t *testing.T) {
	d := newDesk(barta(), 100, 30)
	now := d.tell()
	now.begins("hsb0")
	now.step("hsb0", fleet.Build, time.Second)
	now.says("hsb0", "out", "of now")
	for _, ev := range []fleet.Event{
		{Type: fleet.RunStarted, Start: &fleet.Start{Goal: "switch", Hosts: []fleet.PlannedHost{{Name: "hsb0", Wave: 1}}}},
		{Type: fleet.LogLine, Host: "hsb0", Stream: "out", Line: "of before"},
		{Type: fleet.HostFinished, Host: "hsb0", Result: &fleet.Result{Outcome: fleet.Failed}},
	} {
		ev.Run, ev.Time, ev.Seq = "20261124-110000-a2b3", noon.Add(-time.Hour), 1
		d.send(batchMsg{events: []fleet.Event{ev}})
	}
	d.mustShow(t, "▸ build", "of now")
	if shown := d.screen(); strings.Contains(shown, "of before") {
		t.Errorf("the log is of two runs:\n%s", shown)
	}
}

// A checkout that is looked at in the middle of a pull has changes that nobody has made.
func TestAPullUnderWayIsNoBrokenCheckout(t *testing.T) {
	d := newDesk(barta(), 100, 30).rest()
	d.mustShow(t, "gpc0          ~ dirty        ✗✓✓✓")
	run := d.tell()
	run.begins("hsb1")
	run.step("hsb1", fleet.Build, time.Second)
	h := healthy(earlier)
	h.Checkout.Dirty = true
	d.send(batchMsg{statuses: []Status{{Host: "hsb1", Reachable: true, Health: h, Time: noon.Add(2 * time.Second)}}})
	d.mustShow(t, "hsb1          ▸ build        ↓↓▸✓")
}

func TestAFailedRunIsShownAfterARestart(t *testing.T) {
	d := newDesk(barta(), 160, 30).rest()
	failed := health.LastRun{Goal: fleet.GoalSwitch, Outcome: "failed", Step: "build", Reason: "vpn-hub-2.1.0", Time: noon.Add(-4 * time.Hour)}
	switched := health.LastRun{Goal: fleet.GoalSwitch, Outcome: "switched", Revision: wanted, Time: noon.Add(-4 * time.Hour)}
	d.send(batchMsg{lastRuns: map[string]health.LastRun{"hsb0": failed, "hsb1": switched, "mba-mbp-work": switched, "elsewhere": failed}})
	d.mustShow(t, "1 failed", "✗ failed", "last deploy failed 4h ago in build: vpn-hub-2.1.0", "hsb1          ↓ behind", "mba-mbp-work  ? unknown")
	d.clock = noon.Add(time.Hour)
	d.send(batchMsg{statuses: []Status{{Host: "hsb0", Reachable: true, Health: healthy(wanted), Time: d.clock}}})
	d.mustShow(t, "last deploy failed 5h ago")
	d.press("F")
	d.mustShow(t, "deploy 1 host?", "hsb0")
	d.press("esc")

	run := d.tell()
	run.begins("hsb0")
	d.mustShow(t, "· waiting")
	run.ends("hsb0", fleet.Result{Outcome: fleet.Skipped, Reason: "wave 1 failed"})
	d.mustShow(t, "✗ failed", "last deploy failed 5h ago")
	d.send(batchMsg{statuses: []Status{{Host: "hsb0", Reachable: true, Health: healthy(wanted), Time: noon.Add(2 * time.Hour)}}})
	d.mustShow(t, "last deploy failed 5h ago")
	d.send(batchMsg{lastRuns: map[string]health.LastRun{"hsb0": {Outcome: "degraded", Time: noon}}}) // the table has seen a newer run
	d.mustShow(t, "✗ failed")
	run.ends("hsb0", fleet.Result{Outcome: fleet.Unchanged, After: wanted})
	d.send(batchMsg{statuses: []Status{{Host: "hsb0", Reachable: true, Health: healthy(wanted), Time: noon.Add(3 * time.Hour)}}})
	if shown := ansi.Strip(d.screen()); strings.Contains(shown, "failed 5h ago") {
		t.Errorf("the next run ended well, and the failure is still shown:\n%s", shown)
	}
}

func TestARefusedHostIsNeverAway(t *testing.T) {
	d := newDesk(barta(), 160, 30).rest()
	for _, host := range []string{"hsb0", "imac0"} { // imac0 may be offline
		d.send(batchMsg{statuses: []Status{{Host: host, Err: codedError("auth"), Time: noon}}})
		d.mustShow(t, host+strings.Repeat(" ", 13-len(host))+" ✗ refused")
		d.send(batchMsg{statuses: []Status{{Host: host, Err: codedError("host-key-unknown"), Time: noon}}})
		d.mustShow(t, host+strings.Repeat(" ", 13-len(host))+" ✗ unknown key")
	}
	d.mustShow(t, "9 hosts  2 unknown key")
}

func TestFactsFromBeforeTheEndOfARunDoNotReplaceItsOutcome(t *testing.T) {
	d := newDesk(barta(), 160, 30)
	d.send(batchMsg{target: &Target{Revision: wanted}})
	run := d.tell()
	run.begins("hsb1")
	run.ends("hsb1", fleet.Result{Outcome: fleet.Switched, Before: earlier, After: wanted}) // a minute after noon
	old := healthy(earlier)
	old.Checkout.Behind, old.Checkout.Dirty, old.Agent = 2, true, ""
	d.send(batchMsg{statuses: []Status{{Host: "hsb1", Reachable: true, Health: old, Time: noon.Add(59 * time.Second)}}})
	d.mustShow(t, "hsb1          ✓ switched     ", "✓?✓- 3f9c2ab ")
	d.send(batchMsg{statuses: []Status{{Host: "hsb1", Reachable: true, Health: old, Time: noon.Add(61 * time.Second)}}})
	d.mustShow(t, "hsb1          ~ dirty        ", "✗?↓- a1b2c3d ")
}

func TestNoHostIsCurrentWithoutATarget(t *testing.T) {
	d := newDesk(barta(), 160, 30)
	d.send(batchMsg{statuses: atRest()})
	if shown := ansi.Strip(d.screen()); strings.Contains(shown, "current") {
		t.Errorf("a host is called current:\n%s", shown)
	}
	d.mustShow(t, "target commit unknown")
}

func TestTheHeaderCountsEveryHostInEveryWindow(t *testing.T) {
	for _, width := range []int{60, 80, 100, 160} {
		d := newDesk(barta(), width, 30).rest()
		header, _, _ := strings.Cut(ansi.Strip(d.screen()), "\n")
		_, counts, _ := strings.Cut(header, "hosts ")
		counts, _, _ = strings.Cut(counts, "main")
		total := 0
		for _, match := range regexp.MustCompile(`(\d+)( [a-z]|[^\w\s])`).FindAllStringSubmatch(counts, -1) {
			n, _ := strconv.Atoi(match[1])
			total += n
		}
		if total != 9 {
			t.Errorf("at %d columns the header counts %d hosts: %s", width, total, header)
		}
	}
}
