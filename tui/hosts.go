package tui

import (
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// hosts holds what the table knows about every host of the inventory, and how many are in each
// state.
type hosts struct {
	rows      []*row // in the inventory's order
	byName    map[string]*row
	nameWidth int    // of the widest name
	branch    string // of the inventory

	tally       [health.NumStates]int // how many hosts are in each state
	markedCount int
	failedCount int             // how many are failed
	figures     [numFigures]int // how many hosts have each
	oneKind     bool            // all hosts are of one kind
	oneWave     bool            // and in one wave
	target      Target
	lock        string // the checksum of flake.lock that hosts are compared with
}

const (
	maxHostLines = 2000 // log lines kept per host
	// maxTotalLines is how many log lines are kept of all hosts: a fleet of more than 200 hosts
	// keeps fewer of each.
	maxTotalLines = 400000
	minHostLines  = 100 // but never fewer than these
)

func newHosts(inv *inventory.Inventory, owner Actions) hosts {
	h := hosts{byName: map[string]*row{}, branch: inv.Branch, oneKind: true, oneWave: true}
	lines := min(max(maxTotalLines/max(len(inv.Hosts), 1), minHostLines), maxHostLines)
	for _, host := range inv.Hosts {
		r := &row{Host: host, log: pane{buffer: newLogBuffer(lines), record: recordReader{host: host.Name, read: owner.Log, find: owner.Find}}}
		h.rows = append(h.rows, r)
		h.byName[host.Name] = r
		h.oneKind = h.oneKind && host.Kind == inv.Hosts[0].Kind
		h.oneWave = h.oneWave && host.Wave == inv.Hosts[0].Wave
		h.nameWidth = max(h.nameWidth, ansi.StringWidth(host.Name))
		r.judged = r.judge(health.Target{})
		h.count(r, 1)
	}
	return h
}

// judge judges a host again and updates the counts of the header. The row will be redrawn.
func (h *hosts) judge(r *row) {
	r.version++
	r.known++
	h.count(r, -1)
	r.judged = r.judge(health.Target{Revision: h.target.Revision, Branch: h.branch, Lock: h.lock})
	h.count(r, 1)
}

// setPast sets the past runs of a host. The log of the last one is read if there is no newer one.
func (h *hosts) setPast(msg historyMsg) effect {
	r := h.byName[msg.host]
	if r == nil || len(msg.past) == 0 {
		return effect{}
	}
	r.past = msg.past
	r.known++
	return r.log.readPast(r.past[0].Run)
}

// count adds a row to the numbers of hosts, or removes it if n is -1.
func (h *hosts) count(r *row, n int) {
	h.tally[r.judged.State] += n
	if r.failed() {
		h.failedCount += n
	}
	if n > 0 {
		r.figures = r.findFigures()
	}
	for f, has := range r.figures {
		if has {
			h.figures[f] += n
		}
	}
}

// figure is something that is known of some hosts only.
type figure int

const (
	_ figure = iota
	agentState
	commitsBehind
	generationNumber
	cpuLoad
	memoryUse
	numFigures
)

// findFigures reports which figures are known of the host.
func (r *row) findFigures() [numFigures]bool {
	return [...]bool{
		agentState:       r.status.Err == nil && r.judged.Agent != health.CellNone && r.judged.Agent != health.CellUnknown,
		commitsBehind:    r.judged.Behind > 0,
		generationNumber: r.judged.Generation > 0,
		cpuLoad:          cpu(r) >= 0,
		memoryUse:        memory(r) >= 0,
	}
}

// judgeAll judges every host again after something changed that concerns all of them.
func (h *hosts) judgeAll() {
	for _, r := range h.rows {
		h.judge(r)
	}
}

// setTarget sets the commit that hosts should be at.
func (h *hosts) setTarget(t Target) {
	if t == h.target {
		return
	}
	h.target = t
	h.updateLock()
	h.judgeAll()
}

// applyStatuses updates rows with what was seen of their hosts.
func (h *hosts) applyStatuses(statuses []Status) {
	locks := false // a checkout changed that may decide which flake.lock is the usual one
	for _, s := range statuses {
		r := h.byName[s.Host]
		if r == nil {
			continue
		}
		locks = locks || !sameLock(checkoutOf(r.status), checkoutOf(s))
		r.status = s
		if s.Reachable {
			r.seen = s.Time
		}
		h.judge(r)
	}
	if locks && h.updateLock() {
		h.judgeAll()
	}
}

// applyLastRuns updates rows with runs from the records, unless the table has seen newer ones. A
// run that ended well says nothing about a host's state now: the host itself will.
func (h *hosts) applyLastRuns(runs map[string]health.LastRun) {
	for host, last := range runs {
		r := h.byName[host]
		if r == nil || !last.NeedsAttention() || r.work != nil || r.lastRun != nil && !last.Time.After(r.lastRun.Time) {
			continue
		}
		r.lastRun = &last
		h.judge(r)
	}
}

// applyTests updates rows with the last results of the repository's tests.
func (h *hosts) applyTests(tests map[string]health.TestRun) {
	for host, last := range tests {
		if r := h.byName[host]; r != nil {
			r.tests = &last
		}
	}
}

// applyActivities updates what is being done to hosts outside of runs.
func (h *hosts) applyActivities(activities []activity, now time.Time) {
	for _, a := range activities {
		if r := h.byName[a.host]; r != nil {
			r.activity, r.activitySince = a.word, now
			h.judge(r)
		}
	}
}

// applyEvent updates the row of an event's host, or all rows of a run that starts. The event is
// already in the run's state.
func (h *hosts) applyEvent(ev fleet.Event, run *fleet.State) {
	if ev.Type == fleet.RunStarted {
		for _, host := range run.Hosts {
			// An older run may be attached to later.
			if r := h.byName[host.Name]; r != nil && (r.run == nil || !run.Began.Before(r.run.Began)) {
				r.startRun(host, run)
				h.judge(r)
			}
		}
		return
	}
	r := h.byName[ev.Host]
	if r == nil {
		return
	}
	if run != nil {
		r.noteLostConnection(ev)
		r.noteEnd(ev, run)
	}
	if ev.Type == fleet.LogLine || ev.Type == fleet.ProgressMade {
		r.version++
		return
	}
	h.judge(r)
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

// updateLock finds the flake.lock that hosts are compared with, and the subject of the target. It
// reports whether the lock changed.
func (h *hosts) updateLock() bool {
	checkouts := make([]*health.Checkout, len(h.rows))
	for i, r := range h.rows {
		c := checkoutOf(r.status)
		if checkouts[i] = c; c != nil && h.target.Subject == "" && h.target.Revision != "" && c.Revision == h.target.Revision {
			h.target.Subject = c.Subject
		}
	}
	before := h.lock
	h.lock = health.UsualLock(h.target.Revision, checkouts)
	return h.lock != before
}

func (h *hosts) setMark(r *row, on bool) {
	if r.marked == on {
		return
	}
	r.marked = on
	r.version++
	if on {
		h.markedCount++
	} else {
		h.markedCount--
	}
}

func (h *hosts) unmarkAll() {
	for _, r := range h.rows {
		h.setMark(r, false)
	}
}

// marked returns the marked hosts in the inventory's order.
func (h *hosts) marked() []*inventory.Host {
	var marked []*inventory.Host
	for _, r := range h.rows {
		if r.marked {
			marked = append(marked, r.Host)
		}
	}
	return marked
}

// failed returns the hosts whose last run failed, also if that was before the table was opened.
func (h *hosts) failed() []*inventory.Host {
	var failed []*inventory.Host
	for _, r := range h.rows {
		if r.failed() {
			failed = append(failed, r.Host)
		}
	}
	return failed
}

// activities returns what is being done to hosts outside of runs: "hsb0 is rebooting".
func (h *hosts) activities() []string {
	var some []string
	for _, r := range h.rows {
		if r.activity != "" {
			some = append(some, r.Name+" is "+r.activity)
		}
	}
	return some
}
