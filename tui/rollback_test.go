package tui

import (
	"errors"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/markus-barta/nixfleet/fleet/host"
)

func TestRollbackToChosenGeneration(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	d.press("R")
	d.wantShown(t, "roll back 1 host?", "from generation 212 to", "  213  24 Nov 2026", "  212  23 Nov 2026 12:00  a1b2c3d  current", "▸   211  22 Nov 2026 12:00  a1b2c3d", "209  20 Nov 2026 12:00  a1b2c3d  booted", "[▸Don't roll back ]")
	d.press("j", "down", "tab", "enter") // from 211
	if o := d.owner.options; len(o) != 1 || o[0].Goal != "rollback" || o[0].To != 209 {
		t.Errorf("rolled back %+v", o)
	}
	d.press("R", "k", "tab", "enter")
	if o := d.owner.options; len(o) != 2 || o[1].To != 213 {
		t.Errorf("rolled back %+v", o)
	}
}

func TestRollbackDoesNotWaitForGenerations(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	_, answer := d.ui.Update(keyPress("R"))
	d.wantShown(t, "reading the host's generations", "▸ the previous generation")
	d.press("tab", "enter")
	if o := d.owner.options; len(o) != 1 || o[0].To != 0 {
		t.Errorf("rolled back %+v", o)
	}
	d.press("d")
	d.carryOut(answer) // comes too late: another dialog is open
	d.wantShown(t, "deploy 1 host?", "to 3f9c2ab")
}

func TestRollbackWithoutGenerations(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	d.options.Actions.Generations = func(string) ([]host.Generation, error) { return nil, errors.New("connect: no route to host") }
	d.press("R")
	d.wantShown(t, "cannot read the host's generations: connect: no route to host", "▸ the previous generation")
}

func TestRollbackWithoutEarlierGenerationFocusesNo(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	d.options.Actions.Generations = func(string) ([]host.Generation, error) {
		return []host.Generation{{Number: 1, Current: true}, {Number: 2}}, nil
	}
	var answer tea.Cmd
	_, answer = d.ui.Update(keyPress("R"))
	d.press("tab")
	d.carryOut(answer)
	d.wantShown(t, "there is no earlier generation", "▸     2", "[▸Don't roll back ]")
}

func TestDialogInLowWindowNamesHost(t *testing.T) {
	d := newDriver(barta(), 60, 12).atRest()
	d.press("j", "R")
	d.wantShown(t, "│ hsb1 ", "▸   211", "[▸Don't roll back ]")
}

func TestRollbackOfSeveralHosts(t *testing.T) {
	d := newDriver(barta(), 100, 30).atRest()
	d.press("space", "space", "R")
	d.wantShown(t, "roll back 2 hosts?", "to the previous generation")
	d.press("tab", "enter")
	if o := d.owner.options; len(o) != 1 || o[0].To != 0 || len(d.owner.hosts[0]) != 2 {
		t.Errorf("rolled back %v to %+v", d.owner.hosts, o)
	}
}
