package tui

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
)

func TestDialogKeys(t *testing.T) {
	for _, key := range []string{"tab", "left", "right", "h", "l"} {
		d := newDriver(barta(), 100, 30).atRest()
		d.press("d", key)
		d.wantShown(t, "[ Don't deploy ]  [▸Deploy ]", "y n · ← → choose · enter · esc")
		d.press(key)
		d.wantShown(t, "[▸Don't deploy ]  [ Deploy ]")
		d.press(key, "enter")
		if len(d.owner.hosts) != 1 || d.dialog != nil {
			t.Errorf("%s and enter did not confirm", key)
		}
	}
}

func TestDialogAnswersYesAndNo(t *testing.T) {
	for key, want := range map[string]int{"y": 1, "Y": 1, "n": 0, "N": 0, "esc": 0} {
		d := newDriver(barta(), 100, 30).atRest()
		d.press("d", key)
		if len(d.owner.hosts) != want || d.dialog != nil {
			t.Errorf("%s: the owner got %v, the dialog is %v", key, d.owner.hosts, d.dialog)
		}
	}
}

func TestDialogNamesMarkedHostsThatFilterHides(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	d.press("space", "/", "c", "s", "b", "enter")
	d.wantShown(t, "● 1 marked (1 hidden)")
	d.press("d")
	d.wantShown(t, "deploy 1 host?", "hsb0 is marked but hidden by the filter")
	d.press("esc", "a", "d")
	d.wantShown(t, "deploy 3 hosts?", "hsb0 is marked but hidden by the filter")
	d.press("esc", "esc", "d")
	if shown := d.screen(); strings.Contains(shown, "hidden") {
		t.Errorf("nothing is hidden:\n%s", shown)
	}
}

func TestStartedActionClearsItsMarks(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	d.press("space", "space", "d", "n")
	d.wantShown(t, "● 2 marked")
	d.press("d", "y")
	if len(d.owner.hosts) != 1 || d.hosts.markedCount != 0 {
		t.Errorf("the owner got %v, %d hosts are marked", d.owner.hosts, d.hosts.markedCount)
	}
}

func TestFailedRequestKeepsMarks(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	d.options.Actions.Deploy = func([]string, fleet.Options) error { return errors.New("the record cannot be written") }
	d.press("space", "d", "y")
	d.wantShown(t, "✗ the record cannot be written", "● 1 marked")
}

func TestCommandOnWholeFleetRequiresCount(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	d.press("a", "!", "i", "d", "enter")
	d.wantShown(t, "run a command on 9 hosts?", "id", "this is the whole fleet: type 9 to confirm")
	d.press("enter")
	if len(d.owner.hosts) > 0 || d.dialog == nil {
		t.Fatalf("without the count, the command ran on %v", d.owner.hosts)
	}
	d.press("9", "enter")
	if len(d.owner.hosts) != 1 || len(d.owner.hosts[0]) != 9 {
		t.Errorf("the command ran on %v", d.owner.hosts)
	}
}

func TestChoicesScroll(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	d.press("R")
	d.wantShown(t, "14 generations, j and k for more", "▸   211")
	for range 20 {
		d.press("j")
	}
	d.wantShown(t, "▸   200", "    207")
	if shown := d.screen(); strings.Contains(shown, "  208 ") {
		t.Errorf("more than %d choices are shown:\n%s", maxChoices, shown)
	}
	for range 20 {
		d.press("ctrl+p")
	}
	d.wantShown(t, "▸   213", "    206")
	d.press("ctrl+n")
	d.wantShown(t, "▸   211") // not the current one
}

func TestRollbackChoicesOfFewGenerations(t *testing.T) {
	current, older := host.Generation{Number: 7, Current: true}, host.Generation{Number: 6}
	for _, test := range []struct {
		generations []host.Generation
		want        string
		choices     int
	}{
		{nil, "✗ hsb0 has no generations: nothing to roll back to", 0},
		{[]host.Generation{current}, "✗ hsb0 has only generation 7: nothing to roll back to", 0},
		{[]host.Generation{older, current}, "from generation 7 to", 2},
		{[]host.Generation{older}, "there is no earlier generation", 1},
	} {
		d := newDriver(barta(), 100, 30).atRest()
		d.options.Actions.Generations = func(string) ([]host.Generation, error) { return test.generations, nil }
		d.press("R")
		d.wantShown(t, test.want)
		choices := 0
		if d.dialog != nil {
			choices = len(d.dialog.choices)
		}
		if shown := d.screen(); choices != test.choices || strings.Contains(shown, "for more") {
			t.Errorf("%v: %d choices:\n%s", test.generations, choices, shown)
		}
	}
}

func TestDialogNamesAtMost24Hosts(t *testing.T) {
	d := newDriver(large(30), 100, 40)
	d.press("a", "d")
	d.wantShown(t, "host00023 and 6 ", "this is the whole fleet: type 30 to confirm")
	d = newDriver(large(24), 100, 40)
	d.press("a", "d")
	if shown := ansi.Strip(d.screen()); strings.Contains(shown, " more") {
		t.Errorf("all 24 names fit:\n%s", shown)
	}
}

func TestOnlyHostOfFleetNeedsNoCount(t *testing.T) {
	d := newDriver(large(1), 100, 30)
	d.press("a", "d", "tab", "enter")
	if len(d.owner.hosts) != 1 {
		t.Error("the deploy was not confirmed")
	}
}

func TestDialogFitsIntoLowWindow(t *testing.T) {
	d := newDriver(large(30), 60, 12)
	d.press("a", "d")
	for height := minHeight; height < 20; height++ {
		box := d.dialog.box(&d.palette, 60, height)
		if len(box) > height {
			t.Errorf("%d lines in a window of %d", len(box), height)
		}
		for _, want := range []string{"host00000", "type 30 to confirm", "> ", "enter: Deploy"} {
			if !strings.Contains(strings.Join(box, "\n"), want) {
				t.Errorf("a window of %d lines lacks %q:\n%s", height, want, strings.Join(box, "\n"))
			}
		}
	}
}

func TestCommandPaletteMoves(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	d.press(":")
	d.wantShown(t, "▸ deploy")
	for _, step := range []struct{ key, want string }{{"down", "build"}, {"ctrl+n", "test"}, {"tab", "boot"}, {"up", "test"}, {"ctrl+p", "build"}, {"up", "deploy"}, {"up", "deploy"}} {
		d.press(step.key)
		d.wantShown(t, "▸ "+step.want)
	}
	for range 60 {
		d.press("down")
	}
	found := d.commands.matches()
	d.wantShown(t, "▸ "+found[len(found)-1].name)
	d.press("t", "h", "e", "m", "e")
	d.wantShown(t, "▸ theme")
	d.press("enter")
	d.wantShown(t, "theme vivid")
	d.press(":", "x", "y", "z")
	d.wantShown(t, "no matching command")
	d.press("enter")
	if d.commands != nil {
		t.Error("enter without a match does not close the palette")
	}
	d.press(":", "esc")
	if d.commands != nil {
		t.Error("esc does not close the palette")
	}
}

func TestCommandPaletteListsWhatWorksHere(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	names := func() string {
		var names []string
		for _, a := range d.commands.matches() {
			names = append(names, a.name)
		}
		return " " + strings.Join(names, " ") + " "
	}
	d.press(":")
	if n := names(); !strings.Contains(n, " sort ") || strings.Contains(n, " sort-1 ") || strings.Contains(n, " fold ") {
		t.Errorf("in the table:%s", n)
	}
	d.press("esc", "l", ":")
	if n := names(); strings.Contains(n, " sort ") || !strings.Contains(n, " fold ") {
		t.Errorf("in a log:%s", n)
	}
}

func TestHelpScrolls(t *testing.T) {
	d := newDriver(barta(), 100, 20).atRest()
	d.press("?")
	d.wantShown(t, "on hosts", "j down  k up  esc back  ? help  q quit")
	d.press("j")
	if d.help.top != 1 {
		t.Errorf("j scrolls to line %d", d.help.top)
	}
	d.press("G")
	d.wantShown(t, "GLSA: Git, Lock, System and Agent", "unknown  - none")
	if want := len(d.helpLines()) - 18; d.help.top != want {
		t.Errorf("G scrolls to line %d, want %d", d.help.top, want)
	}
	d.press("g")
	if d.help.top != 0 {
		t.Errorf("g scrolls to line %d", d.help.top)
	}
	for _, key := range []string{"esc", "q", "?", "h"} {
		d.press(key)
		if d.help.open {
			t.Errorf("%s does not close the help", key)
		}
		d.press("?")
	}
}

func TestKeyHintsDependOnWhatIsShown(t *testing.T) {
	d := newDriver(barta(), 160, 30).atRest()
	d.wantShown(t, "enter open  m menu  space mark")
	d.press("space")
	d.wantShown(t, "d deploy  m menu  t test  b build")
	d.press("l")
	d.wantShown(t, "esc back  f follow", "n next-match")
	d.press("esc", "enter")
	d.wantShown(t, "esc back  tab tab  m menu  v plan")
	d.press("esc", "esc")
	d.newRun().start("hsb0")
	d.wantShown(t, "enter open  m menu  l log  x cancel")
	d.press("/", "h", "s", "b", "1", "enter")
	d.wantShown(t, "/hsb1  1 host, esc shows all")
}

func TestUnavailableActionsExplainWhy(t *testing.T) {
	for name, want := range map[string]string{
		"deploy": "deploying is not available here", "plan": "planning is not available here", "reboot": "rebooting is not available here",
		"cancel": "canceling is not available here", "exec": "running commands is not available here", "shell": "a shell is not available here",
		"trust": "accepting host keys is not available here", "attach": "attaching is not available here", "refresh": "refreshing is not available here",
	} {
		d := newDriver(barta(), 100, 30).atRest()
		d.options.Actions = Actions{}
		d.carryOut(d.perform(d.keys.named(name)))
		d.wantShown(t, "✗ "+want)
	}
	d := newDriver(barta(), 100, 30).atRest()
	d.press("x")
	d.wantShown(t, "no run is in progress here")
	d.options.Actions.Generations = nil
	d.press("enter", "tab", "tab")
	d.wantShown(t, "generations are not available here")
}

func TestRequestsShowTheirResult(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	d.press("A")
	d.wantShown(t, "✗ there is no run to attach to")
	d.press("r")
	d.wantShown(t, "checking 1 host again")
	d.press("!", "l", "s", "enter")
	if len(d.owner.hosts) != 1 {
		t.Errorf("the command ran on %v", d.owner.hosts)
	}
	d.press("!", "space", "enter")
	if len(d.owner.hosts) != 1 || d.dialog != nil {
		t.Error("an empty command ran")
	}
	d.newRun().start("hsb0")
	d.press("x", "tab", "enter")
	d.wantShown(t, "every host was asked to cancel")
}

func TestLeaveDialogText(t *testing.T) {
	run := &fleet.State{Run: "r1", Hosts: []*fleet.HostState{{Wave: 1}, {Wave: 1}}}
	waves := &fleet.State{Run: "r2", Hosts: []*fleet.HostState{{Wave: 1}, {Wave: 2}}}
	for _, test := range []struct {
		message    []string
		active     []*fleet.State
		activities []string
		want       string
	}{
		{nil, []*fleet.State{run}, nil, "[jobs continue on the hosts. To show them again:   fleetctl attach r1]"},
		{nil, []*fleet.State{run, waves}, nil, "[jobs continue on the hosts. To show them again:   fleetctl attach r1   fleetctl attach r2  hosts of later waves will not start]"},
		{[]string{"the demo stops"}, []*fleet.State{run}, []string{"a is rebooting", "b is rebooting"}, "[the demo stops a is rebooting, b is rebooting they come up without the table; hosts of later waves will not start]"},
	} {
		if got := fmt.Sprint(leaveDialog(test.message, test.active, test.activities).lines); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}

func TestChoicesThatFitHaveNoHint(t *testing.T) {
	d := &dialog{choices: make([]choice, maxChoices)}
	if lines := d.choiceLines(&Palette{}, 20); len(lines) != maxChoices+1 || lines[0] != "" {
		t.Errorf("got %q", lines)
	}
	d.choices = make([]choice, maxChoices+1)
	if lines := d.choiceLines(&Palette{}, 20); len(lines) != maxChoices+1 || lines[0] == "" {
		t.Errorf("got %q", lines)
	}
}

func TestKeyHintsAlwaysShowHelpAndQuit(t *testing.T) {
	for width := minWidth; width < 160; width += 5 {
		d := newDriver(barta(), width, 30).atRest()
		d.wantShown(t, "? help  q quit")
		d.press("enter")
		d.wantShown(t, "? help  q quit")
	}
}

func TestUnknownKeyIsReported(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	d.press("u")
	d.wantShown(t, "u does nothing here: ? lists the keys")
	d.press("M")
	d.wantShown(t, "the mouse scrolls")
}
