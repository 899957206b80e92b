package tui

import (
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/markus-barta/nixfleet/fleet/host"
)

// part is what of an open host shows below its facts.
type part int

const (
	logPart part = iota
	planPart
	generationsPart
	hostParts
)

func (p part) String() string { return [...]string{"log", "plan", "generations"}[p] }

// nextPart shows the next of them. Generations are asked for each time.
func (u *ui) nextPart() tea.Cmd {
	r := u.byName[u.open]
	u.part = (u.part + 1) % hostParts
	switch {
	case u.part == planPart && r.plan == nil:
		r.plan = planPane(u.now, u.unplanned())
	case u.part == generationsPart:
		return u.askGenerations(r)
	}
	return nil
}

// listedMsg is what generations a host has, for its tab.
type listedMsg struct {
	host  string
	found []host.Generation
	err   error
}

func (u *ui) askGenerations(r *row) tea.Cmd {
	name, list := r.Name, u.o.Actions.Generations
	if list == nil {
		r.generations = planPane(u.now, []Text{{"out", "which generations a host has cannot be asked here"}})
		return nil
	}
	if r.generations == nil {
		r.generations = planPane(u.now, []Text{{"out", "asking the host which generations it has ..."}})
	}
	return beside(func() tea.Msg {
		found, err := list(name)
		return listedMsg{name, found, err}
	})
}

// listed shows them, the newest first.
func (u *ui) listed(msg listedMsg) {
	if msg.err != nil {
		u.byName[msg.host].generations = planPane(u.now, []Text{{"warn", "the host does not say which it has: " + firstLine(msg.err)}})
		return
	}
	slices.SortFunc(msg.found, func(a, b host.Generation) int { return b.Number - a.Number })
	lines := []Text{{"note", plural(len(msg.found), "generation")}}
	for _, g := range msg.found {
		lines = append(lines, Text{"out", GenerationWords(g)})
	}
	if key := u.keys.keyOf("rollback"); key != "" && len(msg.found) > 1 {
		lines = append(lines, Text{"out", fmt.Sprintf("%s runs an earlier one again", key)})
	}
	u.byName[msg.host].generations = planPane(u.now, lines)
}
