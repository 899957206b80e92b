package tui

import (
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// rollbackChoicesMsg is the generations of a host, for the dialog that waits for them.
type rollbackChoicesMsg struct {
	dialog      *dialog
	generations []host.Generation
	err         error
}

// rollback asks before hosts are rolled back. Generation numbers mean something only on one host.
// So only a single host has a choice of generations, once the host has reported them.
func (a *hostActions) rollback(hosts []*inventory.Host) effect {
	o := fleet.Options{Goal: fleet.GoalRollback}
	e := a.deploy(hosts, o)
	d, list := e.dialog, a.options.Actions.Generations
	if d == nil || len(hosts) != 1 || list == nil {
		return e
	}
	d.lines[len(d.lines)-1] = "reading the host's generations ..."
	d.choices, d.noun = []choice{{text: "the previous generation"}}, "generation"
	d.accept = func(string) tea.Cmd {
		o.To = d.choices[d.chosen].generation
		return startOn(d.hosts, func() error { return a.options.Actions.Deploy(d.hosts, o) })
	}
	e.cmd = background(func() tea.Msg {
		generations, err := list(d.hosts[0])
		return rollbackChoicesMsg{d, generations, err}
	})
	return e
}

// setGenerations replaces the choices, newest first. The one before the current generation is
// chosen. If there is none, the focus goes back to the button that declines. If there is no other
// generation at all, the dialog closes with the reason.
func (d *dialog) setGenerations(msg rollbackChoicesMsg) effect {
	about := &d.lines[len(d.lines)-1]
	if msg.err != nil {
		*about = "cannot read the host's generations: " + firstLine(msg.err)
		return effect{}
	}
	sortGenerations(msg.generations)
	current := slices.IndexFunc(msg.generations, func(g host.Generation) bool { return g.Current })
	last := len(msg.generations) - 1
	switch {
	case last < 0:
		return effect{closed: true, notice: notice{text: d.hosts[0] + " has no generations: nothing to roll back to", bad: true}}
	case last == 0 && current == 0:
		text := fmt.Sprintf("%s has only generation %d: nothing to roll back to", d.hosts[0], msg.generations[0].Number)
		return effect{closed: true, notice: notice{text: text, bad: true}}
	case current < 0 || current == last:
		*about, d.onYes = "there is no earlier generation", false
	default:
		*about = fmt.Sprintf("from generation %d to", msg.generations[current].Number)
	}
	d.choices = nil
	for _, g := range msg.generations {
		d.choices = append(d.choices, choice{text: FormatGeneration(g), generation: g.Number, disabled: g.Current})
	}
	d.chosen = current
	if current < last {
		d.choose(1)
	} else {
		d.choose(-1)
	}
	return effect{}
}
