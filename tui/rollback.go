package tui

import (
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/fleet/host"
)

// generationsMsg is what a host can go back to, for the dialog that waits for it.
type generationsMsg struct {
	dialog *dialog
	found  []host.Generation
	err    error
}

// askRollback asks before hosts go back. Numbers of generations mean something on one host alone: there any can be chosen, once the host
// has told which it has.
func (u *ui) askRollback() tea.Cmd {
	hosts := u.targets()
	o := fleet.Options{Goal: fleet.GoalRollback}
	cmd := u.confirmDeploy(hosts, o)
	d, list := u.dialog, u.o.Actions.Generations
	if d == nil || len(hosts) != 1 || list == nil {
		return cmd
	}
	d.lines[len(d.lines)-1] = "asking the host which generations it has ..."
	d.list = []choice{{text: "the generation before"}}
	d.do = func(u *ui, _ string) tea.Cmd {
		o.To = d.list[d.at].to
		return away(func() error { return u.o.Actions.Deploy(d.hosts, o) }, "")
	}
	return beside(func() tea.Msg {
		found, err := list(d.hosts[0])
		return generationsMsg{d, found, err}
	})
}

// choose puts the generations into their dialog, the newest first. The one before that of now is chosen, as it was before they were known;
// where there is none, the focus is on Cancel again.
func (u *ui) choose(msg generationsMsg) {
	d := msg.dialog
	if u.dialog != d {
		return
	}
	about := &d.lines[len(d.lines)-1]
	if msg.err != nil {
		*about = "the host does not say which it has: " + firstLine(msg.err)
		return
	}
	slices.SortFunc(msg.found, func(a, b host.Generation) int { return b.Number - a.Number })
	now := slices.IndexFunc(msg.found, func(g host.Generation) bool { return g.Current })
	if now < 0 || now+1 == len(msg.found) {
		*about, d.onYes = "there is none before that of now", false
	} else {
		*about = fmt.Sprintf("from generation %d to", msg.found[now].Number)
	}
	var list []choice
	for _, g := range msg.found {
		list = append(list, choice{text: GenerationWords(g), to: g.Number, now: g.Current})
	}
	if len(list) == 0 || len(list) == 1 && now == 0 {
		return // there is nothing to choose
	}
	if d.list, d.at = list, now; now+1 < len(list) {
		d.choose(1)
	} else {
		d.choose(-1)
	}
}

// GenerationWords are a generation in a line: its number, when it was made, its revision, and what it is now.
func GenerationWords(g host.Generation) string {
	when := ""
	if !g.Time.IsZero() {
		when = g.Time.Format("2 Jan 2006 15:04")
	}
	line := right(fmt.Sprint(g.Number), 5) + "  " + pad(when, 17) + "  " + pad(health.Short(g.Revision), 7)
	if g.Current {
		line += "  current"
	}
	if g.Booted {
		line += "  booted"
	}
	return line
}
