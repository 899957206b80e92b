package tui

import (
	"cmp"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/markus-barta/nixfleet/fleet"
)

func (u *ui) canPlan() string {
	switch {
	case u.o.Actions.Plan == nil:
		return "planning is not possible here"
	case len(u.targets()) == 0:
		return "there is no host to do that on"
	}
	return ""
}

// askPlan asks hosts what a deploy would do, which changes none of them, and opens one to read the answer in its tab.
func (u *ui) askPlan(build bool) tea.Cmd {
	hosts := u.targets()
	shown, here := hosts[0].Name, u.subject()
	question := "asking what a deploy would do"
	if build {
		question = "building it, to tell what a deploy would change"
	}
	names := u.targetNames()
	for _, h := range hosts {
		if here != nil && h.Name == here.Name {
			shown = h.Name
		}
		u.byName[h.Name].plan = planPane(u.now, []Text{{"out", question + " ..."}})
	}
	opened := u.show(shown)
	u.part = planPart
	if len(names) > 1 {
		u.tell(fmt.Sprintf("asking %s: each has the answer in its tab", plural(len(names), "host")))
	}
	o := fleet.Options{Rev: u.target.Revision}
	return tea.Batch(opened, away(func() error { return u.o.Actions.Plan(names, o, build) }, ""))
}

// unplanned says how to have a plan.
func (u *ui) unplanned() []Text {
	return []Text{{"out", fmt.Sprintf("%s asks what a deploy would do here, and %s builds it, to tell what it would change",
		cmp.Or(u.keys.keyOf("plan"), ":plan"), cmp.Or(u.keys.keyOf("plan-build"), ":plan-build"))}}
}

// planPane shows a plan from its first line.
func planPane(now time.Time, lines []Text) *pane {
	p := &pane{tail: newTail(len(lines)), away: true}
	for _, l := range lines {
		p.tail.push(logLine{at: now, stream: l.Stream, text: l.Line})
	}
	return p
}
