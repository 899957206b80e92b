package tui

import (
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/markus-barta/nixfleet/fleet"
)

// apply updates the table with everything that has happened since the last batch.
func (u *ui) apply(b batch) tea.Cmd {
	var alert bool
	for _, ev := range b.events {
		alert = u.applyEvent(ev) || alert
	}
	if b.dropped > 0 {
		u.note(fmt.Sprintf("%d lines came too fast to be shown; they are in the logs on disk", b.dropped))
	}
	for _, line := range b.notes {
		u.note(line)
		u.notify(notice{text: line}) // no matter which log is shown
	}
	u.hosts.applyLastRuns(b.lastRuns)
	u.hosts.applyTests(b.tests)
	u.hosts.applyStatuses(b.statuses)
	u.hosts.applyActivities(b.activities, u.now)
	for _, p := range b.plans {
		if r := u.hosts.byName[p.host]; r != nil {
			r.plan = textPane(u.now, p.lines)
		}
	}
	for _, o := range b.outputs {
		u.logs.addReport(outputReport(o), u.focus == onLog)
	}
	if b.target != nil {
		u.hosts.setTarget(*b.target)
	}
	u.runs.updatePercent()
	if u.runsPage.open && slices.ContainsFunc(b.events, startsOrEnds) {
		return u.handle(u.runsPage.list())
	}
	if alert && u.options.Settings.Bell && !u.presence.blurred.IsZero() {
		return tea.Raw("\a")
	}
	return nil
}

// startsOrEnds reports whether a run starts or ends with an event.
func startsOrEnds(ev fleet.Event) bool {
	return ev.Type == fleet.RunStarted || ev.Type == fleet.RunFinished
}

// applyEvent applies one event. It reports whether an operator who is looking elsewhere should be
// alerted.
func (u *ui) applyEvent(ev fleet.Event) (alert bool) {
	var run *fleet.State
	if ev.Run != "" {
		run = u.runs.apply(ev)
	}
	switch ev.Type {
	case fleet.LogLine:
		u.addLine(ev)
	case fleet.RunStarted:
		if len(ev.Start.Hosts) > 1 { // the log of a single host is the story of its run
			u.logs.showRun()
		}
		u.note(fmt.Sprintf("run %s: %s of %s by %s", ev.Run, ev.Start.Goal, plural(len(ev.Start.Hosts), "host"), ev.Start.Operator))
	case fleet.HostFinished:
		alert = !ev.Result.Outcome.Good()
		u.noteResult(ev)
	case fleet.RunFinished:
		alert = true
		if run != nil {
			u.note(fmt.Sprintf("run %s finished: %s", ev.Run, countHosts(run.Hosts)))
			u.warn(ev.Summary)
			if run.Start != nil {
				// the log of a single host is the story of its run
				u.logs.addReport(runReport(run), u.focus == onLog || len(run.Hosts) == 1)
			}
		}
	}
	u.hosts.applyEvent(ev, run)
	return alert
}

// addLine adds a line to the log of its host, to the fleet's log, or both.
func (u *ui) addLine(ev fleet.Event) {
	l := logLine{at: ev.Time, stream: ev.Stream, text: ev.Line}
	if r := u.hosts.byName[ev.Host]; r != nil {
		r.addLine(ev.Run, l)
	}
	if ev.Host == "" || ev.Stream == "warn" {
		l.host = ev.Host
		u.logs.fleet.buffer.push(l)
	}
}

// noteResult adds a host's result to the fleet's log.
func (u *ui) noteResult(ev fleet.Event) {
	l := logLine{at: ev.Time, host: ev.Host, stream: "out", text: string(ev.Result.Outcome)}
	if text := resultText(ev.Result); text != "" {
		l.text += ": " + text
	}
	if !ev.Result.Outcome.Good() {
		l.stream = "warn"
	}
	u.logs.fleet.buffer.push(l)
}

// warn adds the warnings of a run to the fleet's log.
func (u *ui) warn(s *fleet.Summary) {
	if s == nil {
		return
	}
	for _, text := range s.Warnings {
		u.logs.fleet.buffer.push(logLine{at: u.now, stream: "warn", text: text})
		u.notify(notice{text: text})
	}
}

// note adds one of fleetctl's own messages to the fleet's log.
func (u *ui) note(text string) {
	u.logs.fleet.buffer.push(logLine{at: u.now, stream: "note", text: text})
}
