package tui

import (
	"math"

	tea "charm.land/bubbletea/v2"
)

// look is a search for a line in what is not loaded of a record.
type look struct {
	step   int
	holds  func(*logLine) bool
	loaded int    // the next line of what is loaded that holds; -1 is none
	none   string // what to say where none does at all
}

// seek shows the next line that holds; after the last comes the first. What is not loaded is looked through away from the screen.
func (u *ui) seek(step int, holds func(*logLine) bool, none string) tea.Cmd {
	p := u.pane()
	if len(p.lines().lines) == 0 {
		u.refuse("the log is empty")
		return nil
	}
	from, to := p.seen(u.manner)
	if !p.away && step > 0 { // from the end, the next is the first of all
		from = to - 1
	}
	n := p.lines().find(from, step, holds)
	if between := n < 0 || (n-from)*step <= 0; between && u.hasMore(p) {
		return u.lookFor(p, &look{step, holds, n, none})
	}
	u.found(p, n, none)
	return nil
}

// found shows a line that was looked for; -1 is none.
func (u *ui) found(p *pane, n int, none string) {
	if n < 0 {
		u.refuse(none)
		return
	}
	if s := p.lines().span(n, p.folds(u.manner)); s.from < s.to {
		u.manner.unfold = true // to read what was found
	}
	p.show(n)
}

// hasMore reports whether a record has lines of the log that shows which are not loaded.
func (u *ui) hasMore(p *pane) bool {
	r := u.logged()
	switch {
	case r == nil || u.o.Actions.Log == nil || u.o.Actions.Find == nil:
		return false
	case p.page != nil:
		return p.page.lines.first() > 0 || !p.page.last()
	}
	return r.run != nil && len(p.tail.lines) == p.tail.most && r.runStart < p.tail.first()
}

// lookFor looks through what is not loaded, and fetches the page around the first line that holds.
func (u *ui) lookFor(p *pane, l *look) tea.Cmd {
	if p.looks() {
		return nil // it is at it
	}
	f, host, read, find := &fetch{look: l}, u.logged().Name, u.o.Actions.Log, u.o.Actions.Find
	from, to, kept := 0, math.MaxInt, 0 // what is loaded
	if p.page != nil {
		f.run, from, to = p.page.run, p.page.lines.first(), p.page.lines.next
	} else {
		f.run, f.tail, kept = u.logged().run.Run, p.tail.texts(8), len(p.tail.lines)
	}
	p.fetch = f
	holds := func(t Text) bool { return l.holds(&logLine{stream: t.Stream, text: t.Line}) }
	return beside(func() tea.Msg {
		if kept > 0 {
			lines, first, total, err := read(f.run, host, -(kept + half), pageLines)
			if err != nil {
				return pageMsg{p, f, nil, err}
			}
			from = max(pageOf(first, lines).locate(f.tail, total-kept), 0)
		}
		ranges := [][2]int{{to, math.MaxInt}, {0, from}}
		if l.step < 0 {
			ranges[0], ranges[1] = ranges[1], ranges[0]
		}
		for _, r := range ranges {
			if r[0] == r[1] {
				continue
			}
			at, err := find(LogSearch{Run: f.run, Host: host, From: r[0], To: r[1], Last: l.step < 0, Match: holds})
			if err != nil {
				return pageMsg{p, f, nil, err}
			}
			if at >= 0 {
				f.top, f.from = at, max(at-half, 0)
				lines, first, total, err := read(f.run, host, f.from, pageLines)
				return pageMsg{p, f, &page{f.run, pageOf(first, lines), total}, err}
			}
		}
		return pageMsg{p, f, nil, nil}
	})
}

// looks reports whether a line is being looked for.
func (p *pane) looks() bool { return p.fetch != nil && p.fetch.look != nil }

func (p *pane) stopLooking() {
	if p.looks() {
		p.fetch = nil
	}
}
