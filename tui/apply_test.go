package tui

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
)

func TestDroppedLinesAreNoted(t *testing.T) {
	d := newDriver(barta(), 120, 30)
	d.press("tab") // the fleet's log
	d.send(batchMsg{})
	d.wantShown(t, "no output yet")
	d.send(batchMsg{dropped: 3})
	d.wantShown(t, "3 lines came too fast to be shown")
}

func TestHostPageShowsLastTests(t *testing.T) {
	d := newDriver(barta(), 120, 30)
	d.press("enter")
	host := d.ui.page.row.Name
	d.send(batchMsg{tests: map[string]health.TestRun{host: {Time: d.clock, Passed: 2, Failed: []string{"20-web.sh"}}, "nosuch": {}}})
	d.wantShown(t, "1 of 3 tests failed just now: 20-web.sh")
	d.send(batchMsg{tests: map[string]health.TestRun{host: {Time: d.clock, Passed: 3}}})
	d.wantShown(t, "3 tests passed just now")
}

// TestHostPageShowsAddressThatAnswered has a host with two addresses.
func TestHostPageShowsAddressThatAnswered(t *testing.T) {
	inv := barta()
	h := inv.Hosts[0]
	h.Address, h.Addresses = "hsb.lan", []string{"hsb.lan", "hsb.vpn"}
	d := newDriver(inv, 120, 30)
	d.press("enter")
	h = d.ui.page.row.Host
	d.wantShown(t, h.Address)
	d.send(batchMsg{statuses: []Status{{Host: h.Name, Reachable: true, Address: "hsb.vpn:22", Time: d.clock}}})
	d.wantShown(t, "hsb.vpn:22")
}

func TestNoteIsShownAndExpires(t *testing.T) {
	d := newDriver(barta(), 100, 30)
	d.send(batchMsg{notes: []string{"a note"}})
	footer := func() string {
		lines := strings.Split(ansi.Strip(d.screen()), "\n")
		return lines[len(lines)-1]
	}
	if footer() != "a note" {
		t.Errorf("the footer is %q", footer())
	}
	d.clock = d.clock.Add(noticeDuration)
	d.send(tickMsg{})
	if footer() != "a note" {
		t.Errorf("too early: the footer is %q", footer())
	}
	d.clock = d.clock.Add(time.Second)
	d.send(tickMsg{})
	if strings.Contains(footer(), "a note") {
		t.Error("the note did not expire")
	}
	d.press("tab")
	d.wantShown(t, "a note") // in the fleet's log
}

func TestBellRingsOnlyWithoutFocus(t *testing.T) {
	failed := fleet.Event{Type: fleet.HostFinished, Host: "hsb0", Result: &fleet.Result{Outcome: fleet.Failed}}
	switched := fleet.Event{Type: fleet.HostFinished, Host: "hsb0", Result: &fleet.Result{Outcome: fleet.Switched}}
	finished := fleet.Event{Type: fleet.RunFinished, Summary: &fleet.Summary{}}
	for _, test := range []struct {
		name        string
		event       fleet.Event
		blur, quiet bool
		want        bool
	}{
		{"failure", failed, true, false, true},
		{"end of run", finished, true, false, true},
		{"success", switched, true, false, false},
		{"failure with focus", failed, false, false, false},
		{"failure without bell", failed, true, true, false},
	} {
		d := newDriver(barta(), 100, 30)
		d.newRun().start("hsb0")
		d.options.Settings.Bell = !test.quiet
		if test.blur {
			d.send(tea.BlurMsg{})
		}
		test.event.Run, test.event.Seq = "20261124-120000-k3f9", 2
		if _, cmd := d.ui.Update(batchMsg{events: []fleet.Event{test.event}}); (cmd != nil) != test.want {
			t.Errorf("%s: the bell rings: %v", test.name, cmd != nil)
		}
	}
}

func TestFleetLogHasWarningsAndResults(t *testing.T) {
	d := newDriver(barta(), 120, 30)
	run := d.newRun()
	run.start("hsb0", "hsb1", "hsb8")
	run.line("hsb0", "out", "only in its own log")
	run.line("hsb0", "warn", "a warning")
	run.line("", "note", "about the run")
	run.finish("hsb0", fleet.Result{Outcome: fleet.Switched, Before: oldRev, After: currentRev})
	run.finish("hsb1", fleet.Result{Outcome: fleet.Failed, Reason: "no space left"})
	run.finish("hsb8", fleet.Result{Outcome: fleet.Cancelled})
	d.wantShown(t, "hsb0  a warning", "about the run", "hsb0  switched: a1b2c3d → 3f9c2ab", "hsb1  failed: no space left")
	if shown := ansi.Strip(d.screen()); strings.Contains(shown, "only in its own log") {
		t.Errorf("the fleet's log has the output of a host:\n%s", shown)
	}
	if l := d.logs.fleet.buffer; l.lastText() != string(fleet.Cancelled) {
		t.Errorf("a result without a reason is %q", l.lastText())
	}
}

func TestUnknownHostsAreIgnored(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	before := d.screen()
	d.send(batchMsg{
		statuses:   []Status{{Host: "elsewhere", Time: noon}},
		activities: []activity{{"elsewhere", "rebooting"}},
		plans:      []plan{{"elsewhere", nil}},
		events:     []fleet.Event{{Type: fleet.StepStarted, Host: "elsewhere", Step: fleet.Build}},
	})
	if d.screen() != before {
		t.Errorf("the screen changed:\n%s", d.screen())
	}
}

func TestHeaderCountsHostsAtStart(t *testing.T) {
	d := newDriver(barta(), 100, 30)
	d.wantShown(t, "barta  9 hosts  9 unknown")
	if title := d.View().WindowTitle; title != "fleetctl barta: 9 hosts  9 unknown" {
		t.Errorf("the title is %q", title)
	}
}

func TestHeaderShowsRuns(t *testing.T) {
	d := newDriver(barta(), 150, 18) // too low for a timeline
	if d.View().ProgressBar != nil {
		t.Error("there is a progress bar without a run")
	}
	run := d.newRun()
	run.start("hsb0", "hsb1")
	d.clock = noon.Add(90 * time.Second)
	d.send(tickMsg{})
	d.wantShown(t, "▸ switch 0% 1:30")
	run.step("hsb0", fleet.Pull, 0)
	d.wantShown(t, "▸ switch 5% ")
	run.step("hsb0", fleet.Build, 0)
	d.wantShown(t, "▸ switch 10% ")
	run.event(0, fleet.Event{Type: fleet.ProgressMade, Host: "hsb0", Progress: &fleet.Progress{Builds: 1, BuildsExpected: 3, Copies: 1, CopiesExpected: 1}})
	d.wantShown(t, "▸ switch 22% ", "1/3 built, 1/1 copied", "━━━━────")
	run.step("hsb0", fleet.Activate, 0)
	d.wantShown(t, "▸ switch 35% ")
	run.step("hsb0", fleet.Verify, 0)
	d.wantShown(t, "▸ switch 45% ")
	run.finish("hsb0", fleet.Result{Outcome: fleet.Switched})
	d.wantShown(t, "▸ switch 50% ")
	if bar := d.View().ProgressBar; bar == nil || bar.State != tea.ProgressBarDefault || bar.Value != 50 {
		t.Errorf("the progress bar is %v", bar)
	}
	run.finish("hsb1", fleet.Result{Outcome: fleet.Failed})
	if bar := d.View().ProgressBar; bar == nil || bar.State != tea.ProgressBarError {
		t.Errorf("the progress bar is %v after a failure", bar)
	}

	other := &scriptedRun{emit: func(ev fleet.Event) { ev.Run = "20261124-130000-a2b3"; d.send(batchMsg{events: []fleet.Event{ev}}) }}
	other.start("gpc0", "csb0")
	d.wantShown(t, "▸ 2 runs 50%")
	run.event(time.Minute, fleet.Event{Type: fleet.RunFinished, Summary: &fleet.Summary{}})
	d.wantShown(t, "▸ switch 0% ")
}

func TestCalmClocksCountMinutes(t *testing.T) {
	d := newDriver(barta(), 150, 18) // too low for a timeline
	d.options.Settings.Calm = true
	run := d.newRun()
	run.start("hsb0")
	run.step("hsb0", fleet.Build, 0)
	run.event(0, fleet.Event{Type: fleet.ProgressMade, Host: "hsb0", Progress: &fleet.Progress{Builds: 1, BuildsExpected: 2}})
	d.clock = noon.Add(119 * time.Second)
	d.send(tickMsg{})
	d.wantShown(t, "▸ switch 45% 1:00", "  1:00  ")
	if shown := d.screen(); strings.Contains(shown, "━━━━─") {
		t.Errorf("there is a progress bar:\n%s", shown)
	}
}

func TestTargetIsCutToItsRoom(t *testing.T) {
	d := newDriver(barta(), 100, 30)
	d.send(batchMsg{target: &Target{Revision: currentRev, Subject: "a subject", Time: noon.Add(-3 * time.Hour)}})
	if got := ansi.Strip(d.targetText(100)); got != "main 3f9c2ab 3h a subject" {
		t.Errorf("got %q", got)
	}
	if got := ansi.Strip(d.targetText(7)); got != "main 3…" {
		t.Errorf("got %q", got)
	}
	if got := d.targetText(6); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestReadOnlyIsInTheHeader(t *testing.T) {
	d := newDriver(barta(), 160, 30)
	d.options.ReadOnly = "reason"
	d.wantShown(t, "  read-only")
}

func TestLockOfTargetIsLearnedFromHosts(t *testing.T) {
	d := newDriver(barta(), 150, 30)
	d.send(batchMsg{target: &Target{Revision: currentRev}})
	d.send(batchMsg{statuses: statusesAtRest()})
	d.wantShown(t, "main 3f9c2ab hsb0: adguard on port 53", "hsb0          ✓ current      nixos  ✓ ✓ ✓ ✓", "hsb1          ↓ behind       nixos  ↓ ↓ ↓ ✓")
}

func TestFactsOfHost(t *testing.T) {
	d := newDriver(barta(), 240, 40).atRest()
	h := healthy(oldRev)
	h.Checkout.Behind, h.Checkout.Ahead, h.Checkout.Dirty = 3, 2, true
	h.System.RebootNeeded, h.System.BootPending, h.System.Specialisation = true, true, "gaming"
	h.FailedUnits = []string{"nginx.service", "cron.service"}
	h.Job = &health.Job{ID: "20261124-120000-k3f9.hsb0", Who: "mba@imac0", Step: "build"}
	h.Swap = &health.Amount{Total: 100, Free: 75}
	h.Store = &health.Amount{Total: 3 << 30, Free: 1 << 30}
	d.send(batchMsg{statuses: []Status{{Host: "hsb0", Reachable: true, Health: h, Time: noon}}})
	d.press("enter")
	d.wantShown(t, "host       nixos  wave 1    @home", "runs       NixOS 26.05  Nix 2.31.2  agent 0.4.0  up 4d",
		"system     a1b2c3d  generation 212, specialisation gaming, since 22 Nov 2026 10:00  reboot needed",
		"checkout   main  a1b2c3d  hsb0: adguard on port 53  2 ahead  3 behind  uncommitted changes",
		"load       0.50 0.25 0.10  cpu 12%  memory 38%  swap 25%", "disk       / 40.0 of 100.0 GiB free  /nix/store 1.0 of 3.0 GiB free",
		"failed     nginx.service cron.service", "job        20261124-120000-k3f9.hsb0  by mba@imac0  build", "✓ switched")
	h.System.RebootNeeded, h.System.Generation, h.Load, h.Job, h.FailedUnits, h.Uptime, h.CPU = false, 0, [3]float64{}, nil, nil, 0, nil
	h.Checkout.Ahead, h.Checkout.Behind, h.Checkout.Dirty, h.Store = 0, 0, false, nil
	d.send(batchMsg{statuses: []Status{{Host: "hsb0", Reachable: true, Health: h, Time: noon}}})
	d.wantShown(t, "system     a1b2c3d  different system at the next boot", "load       memory 38%  swap 25%")
	for _, gone := range []string{"generation 212", "0 ahead", "0 behind", "uncommitted changes", "  failed  ", "  job  ", " up ", "cpu", "/nix/store"} {
		if shown := ansi.Strip(d.screen()); strings.Contains(shown, gone) {
			t.Errorf("%q is still shown:\n%s", gone, shown)
		}
	}
}

func TestHistoryErrorIsShown(t *testing.T) {
	d := newDriver(barta(), 160, 40).atRest()
	d.options.Actions.History = func(string) ([]PastRun, error) { return nil, errors.New("no records\nmore") }
	d.press("enter")
	d.wantShown(t, "✗ no records")
	d.options.Actions.History = func(string) ([]PastRun, error) {
		return []PastRun{{Run: "20261123-090000-p2m7", Time: noon.Add(-27 * time.Hour), Goal: "switch"}}, nil
	}
	d.press("esc", "enter")
	d.wantShown(t, "27h  switch - not finished  p2m7")
}

func TestActivityHidesOtherDetails(t *testing.T) {
	d := newDriver(barta(), 140, 30).atRest()
	d.send(batchMsg{activities: []activity{{"csb1", "rebooting"}}})
	if shown := ansi.Strip(d.screen()); strings.Contains(shown, "nginx.service") {
		t.Errorf("the reason of the state is still shown:\n%s", shown)
	}
	d.send(batchMsg{activities: []activity{{"csb1", ""}}})
	d.wantShown(t, "nginx.service")
	h := healthy(currentRev)
	h.Job = &health.Job{Who: "ada@laptop", Step: "build"}
	d.send(batchMsg{statuses: []Status{{Host: "hsb0", Reachable: true, Health: h, Time: noon}}})
	d.wantShown(t, "job of ada@laptop: build")
}

func TestHostKeepsAsManyLinesAsFit(t *testing.T) {
	for hosts, want := range map[int]int{1: 2000, 200: 2000, 400: 1000, 5000: 100} {
		if got := newDriver(large(hosts), 80, 24).hosts.rows[0].log.buffer.limit; got != want {
			t.Errorf("%d hosts keep %d lines each, want %d", hosts, got, want)
		}
	}
}

func TestTabsCycleThroughPins(t *testing.T) {
	d := newDriver(barta(), 120, 30).atRest()
	for _, name := range []string{"hsb0", "hsb1", "hsb8"} {
		d.send(batchMsg{events: []fleet.Event{{Type: fleet.LogLine, Host: name, Stream: "out", Line: "log of " + name}}})
	}
	d.press("j", "P", "j", "P", "k", "k")
	for i, want := range []string{"log of hsb0", "no output yet", "log of hsb1", "log of hsb8", "log of hsb0"} {
		d.wantShown(t, want)
		if d.press("tab"); i == 0 {
			d.wantShown(t, "─[ fleet ]── hsb1 ── hsb8 ")
		}
	}
	d.press("tab") // hsb1
	d.press("j", "P")
	if d.logs.tab != "" || !d.logs.followCursor || fmt.Sprint(d.logs.pins) != "[hsb8]" {
		t.Errorf("after unpinning: tab %q, pins %v", d.logs.tab, d.logs.pins)
	}
}

func TestSubjectOfTargetIsLearnedFromHosts(t *testing.T) {
	d := newDriver(barta(), 160, 30)
	other, same := healthy(oldRev), healthy(currentRev)
	other.Checkout.Subject, same.Checkout.Subject = "another commit", "the commit"
	d.send(batchMsg{target: &Target{Revision: currentRev}})
	d.send(batchMsg{statuses: []Status{{Host: "hsb0", Reachable: true, Health: other, Time: noon}}})
	if got := ansi.Strip(d.targetText(100)); got != "main 3f9c2ab" {
		t.Errorf("the target is %q", got)
	}
	d.send(batchMsg{statuses: []Status{{Host: "hsb1", Reachable: true, Health: same, Time: noon}}})
	if got := ansi.Strip(d.targetText(100)); got != "main 3f9c2ab the commit" {
		t.Errorf("the target is %q", got)
	}
}

func TestFeedDropsOnlyOutput(t *testing.T) {
	f := &feed{wake: make(chan struct{}, 1)}
	for range maxPending + 5 {
		f.event(fleet.Event{Type: fleet.LogLine, Stream: "out"})
	}
	f.event(fleet.Event{Type: fleet.LogLine, Stream: "warn"})
	f.event(fleet.Event{Type: fleet.StepStarted})
	if b := f.take(); len(b.events) != maxPending+2 || b.dropped != 5 {
		t.Errorf("%d events, %d dropped", len(b.events), b.dropped)
	}
}

func TestLockIsLearnedAgainWhenACheckoutMoves(t *testing.T) {
	d := newDriver(barta(), 160, 30)
	h := healthy(oldRev)
	h.Checkout.Lock = "the lock"
	status := Status{Host: "hsb0", Reachable: true, Health: h, Time: noon}
	d.send(batchMsg{target: &Target{Revision: currentRev}, statuses: []Status{status}})
	moved := *h
	moved.Checkout = &health.Checkout{Revision: currentRev, Branch: "main", Lock: "the lock"}
	status.Health = &moved
	d.send(batchMsg{statuses: []Status{status}})
	if want := health.UsualLock(currentRev, []*health.Checkout{moved.Checkout}); d.hosts.lock != want {
		t.Errorf("the lock is %q, want %q", d.hosts.lock, want)
	}
}
