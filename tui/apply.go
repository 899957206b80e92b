package tui

import (
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
)

// apply updates the model with everything that happened since the last batch.
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
	for host, last := range b.lastRuns {
		u.remember(host, last)
	}
	u.applyStatuses(b.statuses)
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
		u.target = *b.target
		u.updateLock()
		u.judgeAll()
	}
	u.done = u.progress(u.living())
	if ring && u.o.Settings.Bell && !u.blurred.IsZero() {
		return tea.Raw("\a")
	}
	return nil
}

// applyStatuses updates rows with what was seen of their hosts.
func (u *ui) applyStatuses(statuses []Status) {
	locks := false // a checkout changed that may decide which flake.lock is the usual one
	for _, s := range statuses {
		r := u.byName[s.Host]
		if r == nil {
			continue
		}
		locks = locks || !sameLock(checkoutOf(r.status), checkoutOf(s))
		r.status = s
		if s.Reachable {
			r.seen = s.Time
		}
		u.changed(r)
	}
	if locks && u.updateLock() {
		u.judgeAll()
	}
}

// remember updates a row with a run from the records, unless the table has seen a newer one. A run
// that ended well says nothing about the host's state now: the host itself will.
func (u *ui) remember(host string, last health.LastRun) {
	r := u.byName[host]
	if r == nil || !last.NeedsAttention() || r.work != nil || r.lastRun != nil && !last.Time.After(r.lastRun.Time) {
		return
	}
	r.lastRun = &last
	u.changed(r)
}

func checkoutOf(s Status) *health.Checkout {
	if s.Health == nil {
		return nil
	}
	return s.Health.Checkout
}

// sameLock reports whether two checkouts count alike for [health.UsualLock].
func sameLock(a, b *health.Checkout) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Lock == b.Lock && a.Revision == b.Revision && a.Dirty == b.Dirty
}

// updateLock finds the flake.lock that hosts are compared with, and the subject of the target, and
// reports whether the lock changed.
func (u *ui) updateLock() bool {
	checkouts := make([]*health.Checkout, len(u.rows))
	for i, r := range u.rows {
		c := checkoutOf(r.status)
		if checkouts[i] = c; c != nil && u.target.Subject == "" && u.target.Revision != "" && c.Revision == u.target.Revision {
			u.target.Subject = c.Subject
		}
	}
	before := u.lock
	u.lock = health.UsualLock(u.target.Revision, checkouts)
	return u.lock != before
}

// judgeAll judges every host again after something changed that concerns all of them.
func (u *ui) judgeAll() {
	for _, r := range u.rows {
		u.changed(r)
	}
}

// event applies one event, and reports whether an operator who is looking elsewhere should be
// alerted.
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
				r.log.page, r.log.away = nil, false // makes room for the new run
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
	switch {
	case r == nil:
	case ev.Type == fleet.LogLine, ev.Type == fleet.ProgressMade:
		r.version++
	default:
		u.changed(r)
	}
	return ring
}

// advance applies an event to the state of its run.
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
	u.noteEnd(ev, s)
	if ev.Type != fleet.RunStarted {
		u.shares[ev.Run] += share(s.Host(ev.Host)) - before
		return
	}
	u.shares[ev.Run] = 0
	for _, h := range s.Hosts {
		if r := u.byName[h.Name]; r != nil && (r.run == nil || !s.Began.Before(r.run.Began)) {
			// an older run may be attached to later
			r.work, r.run, r.ending, r.runStart = h, s, nil, r.log.tail.next
			u.changed(r)
		}
	}
}

// noteEnd keeps how the run ended for a host. A run that skipped it leaves the outcome of the run
// before standing.
func (u *ui) noteEnd(ev fleet.Event, s *fleet.State) {
	switch r := u.byName[ev.Host]; {
	case r == nil || r.run != s:
	case r.work.Result == nil:
		r.ending = nil
	case ev.Type == fleet.HostFinished:
		r.ending = s.LastRun(ev.Host)
		if r.work.Result.Outcome != fleet.Skipped {
			r.lastRun = r.ending
		}
	}
}

// noteLost keeps when a run lost its connection to a host: its step started earlier.
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

// changed judges a host again, updates the counts of the header, and has the row drawn.
func (u *ui) changed(r *row) {
	r.version++
	before := r.judged.State
	r.judged = r.judge(health.Target{Revision: u.target.Revision, Branch: u.o.Inventory.Branch, Lock: u.lock})
	u.tally[before]--
	u.tally[r.judged.State]++
}

func (u *ui) note(stream, text string) {
	u.log.tail.push(logLine{at: u.now, stream: stream, text: text})
}

// living returns the runs that have not finished, oldest first.
func (u *ui) living() []*fleet.State {
	var some []*fleet.State
	for _, id := range u.order {
		if s := u.runs[id]; s.Start != nil && s.Summary == nil {
			some = append(some, s)
		}
	}
	return some
}

// progress returns how far the given runs are, from 0 to 100. All hosts count alike; a build counts
// by its paths.
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

// share returns how much of a host's part of a run is done, by its step, in thousandths.
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

// age returns how long ago t was, for a header; "" if t is zero.
func (u *ui) age(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return ago(max(u.now.Sub(t), 0))
}
