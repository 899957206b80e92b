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

func (d *driver) wantShown(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if shown := ansi.Strip(d.screen()); !strings.Contains(shown, text) {
			t.Errorf("%q is not on the screen:\n%s", text, shown)
		}
	}
}

func TestActionTargetsMarkedHostsOrCursor(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	d.press("j", "d", "tab", "enter")
	d.press("g", "space", "j", "space", "d", "tab", "enter")
	if want := [][]string{{"hsb1"}, {"hsb0", "hsb8"}}; !slices.EqualFunc(d.owner.hosts, want, slices.Equal) {
		t.Errorf("deployed to %v, want %v", d.owner.hosts, want)
	}
}

func TestEnterOnlyChangesNothing(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	d.press("d", "enter", "x", "enter", "d", "esc")
	if len(d.owner.hosts)+len(d.owner.runs) > 0 {
		t.Errorf("Cancel had the focus, but the owner got %v", d.owner)
	}
}

func TestWholeFleetExpectsCount(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	d.press("a", "d", "enter", "8", "enter", "tab", "enter")
	if len(d.owner.hosts) > 0 {
		t.Fatalf("deployed to %v after an invalid count", d.owner.hosts)
	}
	d.press("backspace", "9", "enter")
	if len(d.owner.hosts) != 1 || len(d.owner.hosts[0]) != 9 {
		t.Errorf("deployed to %v", d.owner.hosts)
	}
}

func TestSortingAndFilteringKeepTarget(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	d.press("j", "j") // hsb8
	d.press("1", "o", "o", "S")
	if d.list.cursor != "hsb8" {
		t.Errorf("the cursor went to %s", d.list.cursor)
	}
	d.press("/", "h", "s", "b", "enter", "d", "tab")
	// the fleet changes while the question is open
	d.newRun().finish("hsb0", fleet.Result{Outcome: fleet.Failed})
	d.send(batchMsg{statuses: []Status{{Host: "hsb8", Time: noon}}})
	d.send(tickMsg{})
	d.press("enter")
	if want := [][]string{{"hsb8"}}; !slices.EqualFunc(d.owner.hosts, want, slices.Equal) {
		t.Errorf("deployed to %v, want %v", d.owner.hosts, want)
	}
}

func TestBusyHostCannotBeDeployed(t *testing.T) {
	d := newDriver(barta(), 100, 30)
	d.newRun().midway()
	d.press("d")
	if d.dialog != nil {
		t.Fatal("a dialog opened")
	}
	d.wantShown(t, "hsb0 is already in run 20261124-120000-k3f9")
}

func TestRetryTargetsFailedHosts(t *testing.T) {
	d := newDriver(barta(), 100, 30)
	d.press("F")
	d.wantShown(t, "no host has failed")
	d.newRun().midway()
	d.press("F", "tab", "enter")
	if want := [][]string{{"csb1", "gpc0"}}; !slices.EqualFunc(d.owner.hosts, want, slices.Equal) {
		t.Errorf("deployed to %v, want %v", d.owner.hosts, want)
	}
}

func TestCancelNamesRunAndHosts(t *testing.T) {
	d := newDriver(barta(), 100, 30)
	d.newRun().midway()
	d.press("x")
	d.wantShown(t, "cancel run 20261124-120000-k3f9?", "hsb0, hsb1, mba-imac-work, imac0, csb0")
	d.press("tab", "enter")
	if !slices.Equal(d.owner.runs, []string{"20261124-120000-k3f9"}) {
		t.Errorf("canceled %v", d.owner.runs)
	}
}

func TestReadOnlyExplainsWhyActionsAreOff(t *testing.T) {
	d := newDriver(barta(), 100, 40).atRest()
	d.options.ReadOnly = "the table was opened with --read-only"
	for _, a := range allActions() {
		if a.changes && a.scope&inTable != 0 && len(a.keys) > 0 {
			d.press(a.keys[0])
			d.wantShown(t, a.name+" is off: the table was opened with --read-only")
		}
	}
	d.press("?")
	d.wantShown(t, "some are off: the table was opened with --read-only", "pull and build, without activating (off)")
	d.press("esc")
	if shown := d.screen(); strings.Contains(shown, "deploy") {
		t.Errorf("the footer offers an action that is off:\n%s", shown)
	}
}

func TestEscGoesBackAndNeverQuits(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	d.press("/", "h", "s", "b", "enter", "enter", "?", "esc")
	if d.help.open || d.page.row == nil {
		t.Fatal("esc did not go from help to the host")
	}
	d.press("esc")
	if d.page.row != nil || d.list.filter == "" {
		t.Fatal("esc did not go from the host to the table")
	}
	d.press("esc")
	if d.list.filter != "" {
		t.Error("esc did not clear the filter")
	}
	if _, cmd := d.ui.Update(keyPress("esc")); cmd != nil {
		t.Error("esc in the table returned a command")
	}
}

func TestQuitDuringRunShowsHowToAttach(t *testing.T) {
	d := newDriver(barta(), 100, 30)
	if _, cmd := d.ui.Update(keyPress("q")); cmd == nil {
		t.Error("q does not quit without a run")
	}
	d.newRun().midway()
	d.press("q")
	d.wantShown(t, "fleetctl attach 20261124-120000-k3f9")
	if _, cmd := d.ui.Update(keyPress("ctrl+c")); cmd == nil {
		t.Error("ctrl-c does not quit")
	}
}

func TestHelpListsEveryKey(t *testing.T) {
	d := newDriver(barta(), 120, 30).atRest()
	help := strings.Join(d.helpLines(), "\n")
	for _, a := range d.keys.actions {
		if !strings.HasPrefix(a.name, "sort-") && !strings.Contains(help, " "+a.name+" ") {
			t.Errorf("%s is not in the help", a.name)
		}
	}
	if clash := KeyClash(nil, nil); clash != "" {
		t.Error(clash)
	}
}

func TestHelpListsConfiguredKeys(t *testing.T) {
	d := newDriver(barta(), 120, 60).atRest()
	d.keys = newKeymap(map[string][]string{"deploy": {"D"}}, nil)
	d.press("?")
	d.wantShown(t, "  D             deploy")
	d.press("esc", "d")
	if d.dialog != nil {
		t.Error("the default key still deploys")
	}
	d.press("D")
	if d.dialog == nil {
		t.Error("the configured key does not deploy")
	}
}

func TestCommandPaletteRunsCommand(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	d.press(":", "d", "e", "p", "enter")
	d.wantShown(t, "deploy 1 host?")
}

func TestPasswordIsHidden(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	q := &question{Question: Question{Lines: []string{"sudo password for hsb0: "}}, secret: true, answer: make(chan reply, 1)}
	d.press("d") // another dialog is open: the question waits
	d.send(askMsg{q})
	d.press("esc")
	d.wantShown(t, "sudo password for hsb0:")
	d.press("s", "e", "c", "q")
	if d.wantShown(t, "••••"); strings.Contains(d.screen(), "secq") {
		t.Error("the password is visible")
	}
	d.press("enter")
	if r := <-q.answer; r != (reply{text: "secq", ok: true}) {
		t.Errorf("the answer is %v", r)
	}
}

func TestAwayIsReportedAfterFocusIsLost(t *testing.T) {
	d := newDriver(barta(), 100, 30)
	d.send(tea.BlurMsg{})
	d.clock = noon.Add(awayAfter / 2)
	d.carryOut(d.ui.everySecond())
	if len(d.owner.pauses) > 0 {
		t.Error("paused too early")
	}
	d.clock = noon.Add(awayAfter + time.Minute)
	d.ui.now = d.clock
	d.carryOut(d.ui.everySecond())
	d.send(tea.FocusMsg{})
	if !slices.Equal(d.owner.pauses, []bool{true, false}) {
		t.Errorf("away: %v", d.owner.pauses)
	}
}

func TestFailureStaysUntilNextRun(t *testing.T) {
	d := newDriver(barta(), 100, 30)
	d.send(batchMsg{target: &Target{Revision: currentRev}})
	run := d.newRun()
	run.start("hsb0", "hsb1")
	run.finish("hsb0", fleet.Result{Outcome: fleet.Failed, Reason: "it does not compile"})
	run.finish("hsb1", fleet.Result{Outcome: fleet.Switched, After: currentRev})
	d.wantShown(t, "✗ failed", "✓ switched")
	for _, host := range []string{"hsb0", "hsb1"} {
		d.send(batchMsg{statuses: []Status{{Host: host, Reachable: true, Health: healthy(currentRev), Time: noon.Add(time.Hour)}}})
	}
	d.wantShown(t, "✗ failed", "✓ current")
}

func TestLogIsFollowedSearchedAndCopied(t *testing.T) {
	d := newDriver(barta(), 100, 30)
	run := d.newRun()
	run.start("hsb0")
	for i := range 100 {
		run.line("hsb0", "out", "line "+strings.Repeat("x", i%7))
	}
	run.line("hsb0", "out", "error: builder for hello failed")
	for range 50 {
		run.line("hsb0", "out", "after")
	}
	d.press("l")
	if strings.Contains(d.screen(), "error:") {
		t.Fatal("the end of the log is not followed")
	}
	d.press("e")
	d.wantShown(t, "error: builder", "scrolled")
	run.line("hsb0", "out", "the newest")
	if strings.Contains(d.screen(), "the newest") {
		t.Error("the log scrolled while it was being read")
	}
	d.press("f")
	d.wantShown(t, "the newest")
	d.press("/", "B", "u", "i", "l", "d", "e", "r", "enter")
	d.wantShown(t, "error: builder", "/builder")
	if _, cmd := d.ui.Update(keyPress("c")); cmd == nil {
		t.Error("copy returned no command")
	}
	d.wantShown(t, "copied")
}

func TestPinnedLogStaysInItsTab(t *testing.T) {
	d := newDriver(barta(), 100, 30)
	run := d.newRun()
	run.start("hsb0", "hsb1")
	run.line("hsb0", "out", "from hsb0")
	run.line("hsb1", "warn", "from hsb1")
	d.press("P") // the fleet's log is shown, since a run has started
	d.wantShown(t, "run 20261124-120000-k3f9: switch of 2 hosts", "hsb1  from hsb1")
	d.press("tab", "j", "j", "j") // the pinned one, wherever the cursor is
	d.wantShown(t, "from hsb0")
	d.press("tab") // that of the cursor
	d.wantShown(t, "no output yet")
}

func TestPanicReleasesTerminal(t *testing.T) {
	s := newScreen(t, 100, 30)
	table := s.startTable(Settings{Theme: Terminal}, colorprofile.ASCII, false, nil)
	table.Guard(func() { panic("a fault") })
	if f := table.ui.panicked; f == nil || !strings.HasSuffix(f.Error(), "bug in fleetctl: a fault") || !strings.HasPrefix(string(f.Stack), "goroutine") {
		t.Errorf("the table ended with %v", f)
	}
	if text := s.text(); strings.Contains(text, "hsb0") {
		t.Errorf("the table is still on the screen:\n%s", text)
	}
}

func TestNextSortCyclesThroughShownColumns(t *testing.T) {
	d := newDriver(barta(), 60, 15).atRest()
	d.press("S")
	d.wantShown(t, "sorted by state", "STATE▾")
	d.press("I")
	d.wantShown(t, "STATE▴")
	d.press("S")
	d.wantShown(t, "sorted by time")
	d.press("S")
	d.wantShown(t, "sorted as in the inventory")
}

func TestLostHostShowsSinceWhen(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	d.clock = noon.Add(7 * time.Minute)
	d.send(batchMsg{statuses: []Status{{Host: "hsb0", Err: offlineError("hsb0: connect: no route to host"), Time: d.clock}}})
	// it answered three minutes before noon
	d.wantShown(t, "offline      connect: no route to host, seen 10m ago")
	d.press("enter")
	d.wantShown(t, "last answered at 11:57:00")
	d.press("esc")
	run := d.newRun()
	run.start("hsb1")
	run.step("hsb1", fleet.Build, time.Second)
	run.event(9*time.Second, fleet.Event{Type: fleet.FactLearned, Host: "hsb1", Key: fleet.FactReconnect, Value: fleet.Lost})
	d.wantShown(t, "~ reconnecting", "lost at 12:00:09")
	run.event(20*time.Second, fleet.Event{Type: fleet.FactLearned, Host: "hsb1", Key: fleet.FactReconnect, Value: fleet.Back})
	if shown := d.screen(); strings.Contains(shown, "lost at") {
		t.Errorf("the host is still shown as lost:\n%s", shown)
	}
}

func TestActionTargetsOpenHost(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	d.press("space", "space", "enter", "d", "tab", "enter") // hsb8, while two others are marked
	if want := [][]string{{"hsb8"}}; !slices.EqualFunc(d.owner.hosts, want, slices.Equal) {
		t.Errorf("deployed to %v, want %v", d.owner.hosts, want)
	}
}

func TestOlderRunDoesNotReplaceNewerOne(t *testing.T) {
	d := newDriver(barta(), 100, 30)
	now := d.newRun()
	now.start("hsb0")
	now.step("hsb0", fleet.Build, time.Second)
	now.line("hsb0", "out", "of now")
	for _, ev := range []fleet.Event{
		{Type: fleet.RunStarted, Start: &fleet.Start{Goal: "switch", Hosts: []fleet.PlannedHost{{Name: "hsb0", Wave: 1}}}},
		{Type: fleet.LogLine, Host: "hsb0", Stream: "out", Line: "of before"},
		{Type: fleet.HostFinished, Host: "hsb0", Result: &fleet.Result{Outcome: fleet.Failed}},
	} {
		ev.Run, ev.Time, ev.Seq = "20261124-110000-a2b3", noon.Add(-time.Hour), 1
		d.send(batchMsg{events: []fleet.Event{ev}})
	}
	d.wantShown(t, "▸ build", "of now")
	if shown := d.screen(); strings.Contains(shown, "of before") {
		t.Errorf("the log has lines of two runs:\n%s", shown)
	}
}

// TestPullInProgressIsNotBroken checks the checkout in the middle of a pull, when it has changes
// that are not the user's.
func TestPullInProgressIsNotBroken(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	d.wantShown(t, "gpc0          ~ dirty        ✗ ✓ ✓ ✓")
	run := d.newRun()
	run.start("hsb1")
	run.step("hsb1", fleet.Build, time.Second)
	h := healthy(oldRev)
	h.Checkout.Dirty = true
	d.send(batchMsg{statuses: []Status{{Host: "hsb1", Reachable: true, Health: h, Time: noon.Add(2 * time.Second)}}})
	d.wantShown(t, "hsb1          ▸ build        nixos  ↓ ↓ ▸ ✓")
}

func TestFailedRunIsShownAfterRestart(t *testing.T) {
	d := newDriver(barta(), 150, 30).atRest()
	failed := health.LastRun{Goal: fleet.GoalSwitch, Outcome: "failed", Step: "build", Reason: "vpn-hub-2.1.0", Time: noon.Add(-4 * time.Hour)}
	switched := health.LastRun{Goal: fleet.GoalSwitch, Outcome: "switched", Revision: currentRev, Time: noon.Add(-4 * time.Hour)}
	d.send(batchMsg{lastRuns: map[string]health.LastRun{"hsb0": failed, "hsb1": switched, "mba-mbp-work": switched, "elsewhere": failed}})
	d.wantShown(t, "1 failed", "✗ failed", "last deploy failed 4h ago in build: vpn-hub-2.1.0", "hsb1          ↓ behind", "mba-mbp-work  ? unknown")
	d.clock = noon.Add(time.Hour)
	d.send(batchMsg{statuses: []Status{{Host: "hsb0", Reachable: true, Health: healthy(currentRev), Time: d.clock}}})
	d.wantShown(t, "last deploy failed 5h ago")
	d.press("F")
	d.wantShown(t, "deploy 1 host?", "hsb0")
	d.press("esc")

	run := d.newRun()
	run.start("hsb0")
	d.wantShown(t, "· waiting")
	run.finish("hsb0", fleet.Result{Outcome: fleet.Skipped, Reason: "wave 1 failed"})
	d.wantShown(t, "✗ failed", "last deploy failed 5h ago")
	d.send(batchMsg{statuses: []Status{{Host: "hsb0", Reachable: true, Health: healthy(currentRev), Time: noon.Add(2 * time.Hour)}}})
	d.wantShown(t, "last deploy failed 5h ago")
	// the table has seen a newer run
	d.send(batchMsg{lastRuns: map[string]health.LastRun{"hsb0": {Outcome: "degraded", Time: noon}}})
	d.wantShown(t, "✗ failed")
	run.finish("hsb0", fleet.Result{Outcome: fleet.Unchanged, After: currentRev})
	d.send(batchMsg{statuses: []Status{{Host: "hsb0", Reachable: true, Health: healthy(currentRev), Time: noon.Add(3 * time.Hour)}}})
	if shown := ansi.Strip(d.screen()); strings.Contains(shown, "failed 5h ago") {
		t.Errorf("the failure is still shown after a successful run:\n%s", shown)
	}
}

func TestRefusedHostIsNeverAway(t *testing.T) {
	d := newDriver(barta(), 160, 30).atRest()
	for _, host := range []string{"hsb0", "imac0"} { // imac0 may be offline
		d.send(batchMsg{statuses: []Status{{Host: host, Err: codedError("auth"), Time: noon}}})
		d.wantShown(t, host+strings.Repeat(" ", 13-len(host))+" ✗ refused")
		d.send(batchMsg{statuses: []Status{{Host: host, Err: codedError("host-key-unknown"), Time: noon}}})
		d.wantShown(t, host+strings.Repeat(" ", 13-len(host))+" ✗ unknown key")
	}
	d.wantShown(t, "9 hosts  2 unknown key")
}

func TestOlderFactsDoNotReplaceOutcome(t *testing.T) {
	d := newDriver(barta(), 150, 30)
	d.send(batchMsg{target: &Target{Revision: currentRev}})
	run := d.newRun()
	run.start("hsb1")
	// a minute after noon
	run.finish("hsb1", fleet.Result{Outcome: fleet.Switched, Before: oldRev, After: currentRev})
	old := healthy(oldRev)
	old.Checkout.Behind, old.Checkout.Dirty, old.Agent = 2, true, ""
	d.send(batchMsg{statuses: []Status{{Host: "hsb1", Reachable: true, Health: old, Time: noon.Add(59 * time.Second)}}})
	d.wantShown(t, "hsb1          ✓ switched     ", "✓ ? ✓ 3f9c2ab ")
	d.send(batchMsg{statuses: []Status{{Host: "hsb1", Reachable: true, Health: old, Time: noon.Add(61 * time.Second)}}})
	d.wantShown(t, "hsb1          ~ dirty        ", "✗ ? ↓ a1b2c3d ")
}

func TestNoHostIsCurrentWithoutATarget(t *testing.T) {
	d := newDriver(barta(), 160, 30)
	d.send(batchMsg{statuses: statusesAtRest()})
	if shown := ansi.Strip(d.screen()); strings.Contains(shown, "current") {
		t.Errorf("a host is shown as current:\n%s", shown)
	}
	d.wantShown(t, "target commit unknown")
}

func TestHeaderCountsEveryHost(t *testing.T) {
	for _, width := range []int{60, 80, 100, 160} {
		d := newDriver(barta(), width, 30).atRest()
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

func TestRunOfSeveralHostsShowsItsOwnLogUntilCursorMoves(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	d.wantShown(t, "─[ hsb0 ]")
	run := d.newRun()
	run.start("hsb0", "hsb1")
	d.wantShown(t, "─[ fleet ]", "switch of 2 hosts")
	d.press("j")
	d.wantShown(t, "─[ hsb1 ]")
}

func TestReasonNamesDerivationWithoutItsPath(t *testing.T) {
	d := newDriver(barta(), 120, 30).atRest()
	run := d.newRun()
	run.start("hsb0", "hsb1")
	run.finish("hsb0", fleet.Result{Outcome: fleet.Failed, Step: fleet.Build,
		Reason: "builder for '/nix/store/d366091644b67a9581921c24975b3809-vpn-hub-2.1.0.drv' failed with exit code 1"})
	d.wantShown(t, "hsb0  failed: builder for 'vpn-hub-2.1.0' failed with exit code 1", "builder for 'vpn-hub-2.1.")
}

func TestTimelineCountsHostsOfEachWave(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	run := d.newRun()
	run.midway()
	d.wantShown(t, "switch → 3f9c2ab  wave 1 ✓1 !1 ✗1 ▸4  wave 2 ·1  ━", "52%  ")
	run.finish("csb0", fleet.Result{Outcome: fleet.Skipped})
	d.wantShown(t, "wave 2 !1")
	run.event(2*time.Minute, fleet.Event{Type: fleet.RunFinished, Summary: &fleet.Summary{}})
	if shown := d.screen(); strings.Contains(shown, "wave 1") {
		t.Errorf("the run has finished:\n%s", shown)
	}
}

func TestWideWindowShowsHostUnderCursor(t *testing.T) {
	d := newDriver(barta(), 160, 40).atRest()
	d.wantShown(t, "│ hsb0  ✓ current", "disk       / 40.0 of 100.0 GiB free")
	d.press("j", "j", "j")
	d.wantShown(t, "│ csb1  ! degraded", "failed     nginx.service", "next       F retry  enter open  s shell")
	d.press("enter")
	if shown := d.screen(); strings.Contains(shown, "│") {
		t.Errorf("a host's page has a preview:\n%s", shown)
	}
	d = newDriver(barta(), wideWidth-1, 40).atRest()
	if shown := d.screen(); strings.Contains(shown, "│") {
		t.Errorf("a narrow window has a preview:\n%s", shown)
	}
	d = newDriver(barta(), 160, 40)
	d.press("/", "z", "z", "z")
	for i, line := range strings.Split(d.screen(), "\n")[1:18] {
		if !strings.Contains(line, "│") {
			t.Errorf("line %d has no edge: %q", i, line)
		}
	}
}
