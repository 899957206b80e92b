package tui

import (
	"errors"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/markus-barta/nixfleet/fleet/host"
)

func TestOneHostIsRolledBackToAGenerationThatIsChosen(t *testing.T) {
	d := newDesk(barta(), 100, 30).rest()
	d.press("R")
	d.mustShow(t, "rollback 1 host?", "from generation 212 to", "  213  24 Nov 2026", "  212  23 Nov 2026 12:00  a1b2c3d  current", "▸   211  22 Nov 2026 12:00  a1b2c3d", "209  20 Nov 2026 12:00  a1b2c3d  booted", "[▸Cancel ]")
	d.press("j", "down", "tab", "enter") // from 211
	if o := d.asked.options; len(o) != 1 || o[0].Goal != "rollback" || o[0].To != 209 {
		t.Errorf("rolled back %+v", o)
	}
	d.press("R", "k", "tab", "enter")
	if o := d.asked.options; len(o) != 2 || o[1].To != 213 {
		t.Errorf("rolled back %+v", o)
	}
}

func TestARollbackDoesNotWaitForTheGenerationsOfTheHost(t *testing.T) {
	d := newDesk(barta(), 100, 30).rest()
	_, answer := d.ui.Update(keyOf("R"))
	d.mustShow(t, "asking the host which generations it has", "▸ the generation before")
	d.press("tab", "enter")
	if o := d.asked.options; len(o) != 1 || o[0].To != 0 {
		t.Errorf("rolled back %+v", o)
	}
	d.press("d")
	d.carryOut(answer) // it comes too late, and is not about this question
	d.mustShow(t, "deploy 1 host?", "to 3f9c2ab")
}

func TestAHostThatDoesNotTellItsGenerationsCanBeRolledBackToTheOneBefore(t *testing.T) {
	d := newDesk(barta(), 100, 30).rest()
	d.o.Actions.Generations = func(string) ([]host.Generation, error) { return nil, errors.New("connect: no route to host") }
	d.press("R")
	d.mustShow(t, "the host does not say which it has: connect: no route to host", "▸ the generation before")
}

func TestWhereThereIsNoGenerationBeforeCancelHasTheFocus(t *testing.T) {
	d := newDesk(barta(), 100, 30).rest()
	d.o.Actions.Generations = func(string) ([]host.Generation, error) {
		return []host.Generation{{Number: 1, Current: true}, {Number: 2}}, nil
	}
	var answer tea.Cmd
	_, answer = d.ui.Update(keyOf("R"))
	d.press("tab")
	d.carryOut(answer)
	d.mustShow(t, "there is none before that of now", "▸     2", "[▸Cancel ]")
}

func TestADialogInALowWindowStillSaysWhomItIsAbout(t *testing.T) {
	d := newDesk(barta(), 60, 12).rest()
	d.press("j", "R")
	d.mustShow(t, "│ hsb1 ", "▸   211", "[▸Cancel ]")
}

func TestSeveralHostsAreRolledBackToTheGenerationBefore(t *testing.T) {
	d := newDesk(barta(), 100, 30).rest()
	d.press("space", "space", "R")
	d.mustShow(t, "rollback 2 hosts?", "to the generation before")
	d.press("tab", "enter")
	if o := d.asked.options; len(o) != 1 || o[0].To != 0 || len(d.asked.hosts[0]) != 2 {
		t.Errorf("rolled back %v to %+v", d.asked.hosts, o)
	}
}
