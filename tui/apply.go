package tui

import (
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/markus-barta/nixfleet/fleet"
)

// apply takes in what happened since the last time.
func (u *ui) apply(b batch) tea.Cmd {
	var ring bool
	for _, ev := range b.events {
		ring = u.event(ev) || ring
	}
	if b.skipped > 0 {
		u.note("note", fmt.Sprintf("%d lines came too fast to show; the logs on disk have them", b.skipped))
	}
	for _, line := range b.notes {
		u.note("note", line)
		u.tell(line) // whichever log shows
	}
	for _, s := range b.statuses {
		if r := u.byName[s.Host]; r != nil {
			r.status = s
			if s.Reachable {
				r.seen = s.Time
			}
			u.learnLock(r)
			u.changed(r)
		}
	}
	for _, d := range b.doings {
		if r := u.byName[d.host]; r != nil {
			r.doing, r.since = d.word, u.now
			u.changed(r)
		}
	}
	for _, p := range b.plans {
		if r := u.byName[p.host]; r != nil {
			r.plan = planPane(u.now, p.lines)
		}
	}
	if b.target != nil && *b.target != u.target {
		u.target, u.targetLock = *b.target, ""
		for _, r := range u.rows {
			u.learnLock(r)
			u.changed(r)
		}
	}
	u.done = u.progress(u.living())
	if ring && u.o.Settings.Bell && !u.blurred.IsZero() {
		return tea.Raw("\a")
	}
	return nil
}

// event takes one in, and reports whether somebody who looks elsewhere should know.
func (u *ui) event(ev fleet.Event) (ring bool) {
	if ev.Run != "" {
		u.advance(ev)
	}
	r := u.byName[ev.Host]
	switch ev.Type {
	case fleet.LogLine:
		l := logLine{at: ev.Time, stream: ev.Stream, text: ev.Line}
		if r != nil && (ev.Run == "" || r.run == nil || r.run.Run == ev.Run) {
			if len(r.log.tail.lines) == 0 && r.log.page != nil {
				r.log.page, r.log.away = nil, false // what an earlier run said makes room
			}
			r.log.tail.push(l)
		}
		if ev.Host == "" || ev.Stream == "warn" {
			l.host = ev.Host
			u.log.tail.push(l)
		}
	case fleet.RunStarted:
		u.note("note", fmt.Sprintf("run %s: %s of %s by %s", ev.Run, ev.Start.Goal, plural(len(ev.Start.Hosts), "host"), ev.Start.Operator))
	case fleet.HostFinished:
		stream, text := "out", string(ev.Result.Outcome)
		if ending := ending(ev.Result); ending != "" {
			text += ": " + ending
		}
		ring = !ev.Result.Outcome.Good()
		if ring {
			stream = "warn"
		}
		u.log.tail.push(logLine{at: ev.Time, host: ev.Host, stream: stream, text: text})
	case fleet.RunFinished:
		ring = true
		if s := u.runs[ev.Run]; s != nil {
			u.note("note", fmt.Sprintf("run %s has ended: %s", ev.Run, counts(s.Hosts)))
		}
	}
	if r != nil {
		u.changed(r)
	}
	return ring
}

// advance adds an event to its run.
func (u *ui) advance(ev fleet.Event) {
	s := u.runs[ev.Run]
	if s == nil {
		s = &fleet.State{Run: ev.Run}
		u.runs[ev.Run] = s
		u.order = append(u.order, ev.Run)
	}
	before := share(s.Host(ev.Host))
	s.Apply(ev)
	u.noteLost(ev)
	if ev.Type != fleet.RunStarted {
		u.shares[ev.Run] += share(s.Host(ev.Host)) - before
		return
	}
	u.shares[ev.Run] = 0
	for _, h := range s.Hosts {
		if r := u.byName[h.Name]; r != nil && (r.run == nil || !s.Began.Before(r.run.Began)) { // one that was left earlier may be attached to later
			r.work, r.run, r.begun = h, s, r.log.tail.next
			u.changed(r)
		}
	}
}

// noteLost keeps since when a run has no connection to a host: its step has been under way for longer.
func (u *ui) noteLost(ev fleet.Event) {
	r := u.byName[ev.Host]
	if r == nil || r.work == nil {
		return
	}
	switch {
	case r.work.Phase != fleet.Reconnecting:
		r.lost = time.Time{}
	case r.lost.IsZero():
		r.lost = ev.Time
	}
}

// changed has a row drawn anew, and counted as what it is now.
func (u *ui) changed(r *row) {
	r.version++
	if at := r.condition(&u.target); at != r.at {
		u.tally[r.at]--
		u.tally[at]++
		r.at = at
	}
}

// learnLock finds the checksum of the target's flake.lock on a host that has the target checked out.
func (u *ui) learnLock(r *row) {
	h := r.status.Health
	if h == nil || h.Checkout == nil || h.Checkout.Dirty || h.Checkout.Lock == "" || h.Checkout.Revision != u.target.Revision {
		return
	}
	if u.target.Subject == "" {
		u.target.Subject = h.Checkout.Subject
	}
	if u.targetLock != h.Checkout.Lock {
		u.targetLock = h.Checkout.Lock
		u.layout++
	}
}

func (u *ui) note(stream, text string) {
	u.log.tail.push(logLine{at: u.now, stream: stream, text: text})
}

// living are the runs that go on, the oldest first.
func (u *ui) living() []*fleet.State {
	var some []*fleet.State
	for _, id := range u.order {
		if s := u.runs[id]; s.Start != nil && s.Summary == nil {
			some = append(some, s)
		}
	}
	return some
}

// progress is how far the living runs are, from 0 to 100, each host counting as one, and a build by its paths.
func (u *ui) progress(runs []*fleet.State) int {
	done, all := 0, 0
	for _, s := range runs {
		done += u.shares[s.Run]
		all += len(s.Hosts)
	}
	if all == 0 {
		return 0
	}
	return done / (10 * all)
}

// share is how much of a host's work is done, by its step, in thousandths.
func share(h *fleet.HostState) int {
	switch {
	case h == nil:
		return 0
	case h.Phase == fleet.Done:
		return 1000
	}
	switch h.Step {
	case fleet.Build:
		p := h.Progress
		if expected := p.BuildsExpected + p.CopiesExpected; expected > 0 {
			return 200 + min(500*(p.Builds+p.Copies)/expected, 500)
		}
		return 200
	case fleet.Activate:
		return 700
	case fleet.Verify, fleet.Confirm:
		return 900
	case fleet.Pull:
		return 100
	}
	return 0
}

// age is how old a moment is, in words for a header.
func (u *ui) age(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return ago(max(u.now.Sub(t), 0))
}
