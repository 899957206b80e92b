package tui

import (
	tea "charm.land/bubbletea/v2"
)

// pageLines are read from a record at once. Half of them are scrolled before the next are wanted.
const (
	pageLines = 10000
	half      = pageLines / 2
)

// page is some lines of a host's log as a run's record has it. They have their numbers there, so that scrolling goes on where it was when
// another page takes the place of this one.
type page struct {
	run   string
	lines *tail
	total int // lines that the record had when it was read
}

func (p *page) last() bool { return p.lines.next >= p.total }

// fetch is a page that is being read.
type fetch struct {
	run  string
	from int // the number of its first line; counted from the log's end where it is negative
	top  int // what shall show at the top: that number, or so many lines above where the tail begins
	tail []string
	look *look // for what; nil where the place is known
	past bool  // it is the end of a log that nothing here has told yet
}

// pageMsg is what came of a fetch. It has no page where the line that was looked for is not there.
type pageMsg struct {
	pane *pane
	*fetch
	page *page
	err  error
}

// scrollLog scrolls the log that shows. Beyond what the tail keeps, the run's record is read, away from the screen.
func (u *ui) scrollLog(lines int) tea.Cmd {
	p, r := u.pane(), u.logged()
	missing := p.move(lines, u.manner)
	p.stopLooking() // whoever goes on by hand does not want to be taken elsewhere
	if missing == 0 || p.fetch != nil || r == nil || u.o.Actions.Log == nil {
		return nil
	}
	f := &fetch{}
	switch {
	case missing > half: // to the end, and that is what is said now
		return u.toEnd(p)
	case p.page != nil:
		f.run, f.top = p.page.run, max(p.top+missing, 0)
		if missing < 0 && p.page.lines.first() == 0 {
			return nil // the log begins here
		}
		f.from = max(f.top-half, 0)
	case !u.hasMore(p):
		return nil
	case missing < -half:
		f.run = r.run.Run
	default:
		f.run, f.top, f.from = r.run.Run, missing, -(len(p.tail.lines) + half)
		f.tail = p.tail.texts(8)
	}
	p.fetch = f
	host, read := r.Name, u.o.Actions.Log
	return beside(func() tea.Msg {
		lines, first, total, err := read(f.run, host, f.from, pageLines)
		return pageMsg{p, f, &page{f.run, pageOf(first, lines), total}, err}
	})
}

// recall reads what the last run of an open host said, where nothing has been said since the table is there.
func (u *ui) recall(r *row) tea.Cmd {
	p := &r.log
	if len(u.past) == 0 || len(p.tail.lines) > 0 || p.page != nil || p.fetch != nil || u.o.Actions.Log == nil {
		return nil
	}
	return u.readEnd(p, u.past[0].Run, r.Name)
}

// toEnd follows the log's end, which is the record's where nothing has been said since.
func (u *ui) toEnd(p *pane) tea.Cmd {
	if r := u.logged(); r != nil && p.page != nil && !p.page.last() && len(p.tail.lines) == 0 {
		return u.readEnd(p, p.page.run, r.Name)
	}
	p.follow()
	return nil
}

func (u *ui) readEnd(p *pane, run, host string) tea.Cmd {
	f, read := &fetch{run: run, past: true}, u.o.Actions.Log
	p.fetch = f
	return beside(func() tea.Msg {
		lines, first, total, err := read(f.run, host, -pageLines, pageLines)
		return pageMsg{p, f, &page{f.run, pageOf(first, lines), total}, err}
	})
}

// logged is the host whose log shows; nil where it is the fleet's, or no log.
func (u *ui) logged() *row {
	p := u.pane()
	for _, r := range []*row{u.byName[u.open], u.byName[u.tab], u.here()} {
		if r != nil && p == &r.log {
			return r
		}
	}
	return nil
}

// turn shows a page that was fetched, unless it is not wanted any more.
func (u *ui) turn(msg pageMsg) {
	p, f := msg.pane, msg.fetch
	if p.fetch != f {
		return
	}
	p.fetch = nil
	switch {
	case msg.err != nil && f.past: // it was not begun, and has no log
		return
	case msg.err != nil:
		u.refuse(firstLine(msg.err))
		return
	case msg.page == nil:
		u.found(p, f.look.loaded, f.look.none)
		return
	}
	switch lines := msg.page.lines; {
	case f.past:
		if len(lines.lines) > 0 && len(p.tail.lines) == 0 {
			p.page, p.away = msg.page, true
			p.follow()
		}
		return
	case len(lines.lines) == 0:
		u.refuse("the record has no more than this")
		return
	case f.from < 0:
		f.top += lines.locate(f.tail, msg.page.total-len(p.tail.lines))
	}
	p.page = msg.page
	p.show(f.top)
}

// pageOf is a tail of lines of which the first has that number.
func pageOf(first int, lines []Text) *tail {
	t := &tail{most: len(lines), lines: make([]logLine, len(lines)), next: first}
	for _, l := range lines {
		t.push(logLine{stream: l.Stream, text: l.Line})
	}
	return t
}

// texts are those of the oldest lines.
func (t *tail) texts(most int) []string {
	var texts []string
	for n := t.first(); n < t.next && len(texts) < most; n++ {
		texts = append(texts, t.line(n).text)
	}
	return texts
}

// locate is the number of the line at which the texts begin: where it should be, or the next to that place where they are.
func (t *tail) locate(texts []string, expected int) int {
	are := func(n int) bool {
		if n < t.first() || n+len(texts) > t.next {
			return false
		}
		for i, text := range texts {
			if t.line(n+i).text != text {
				return false
			}
		}
		return true
	}
	for off := range len(t.lines) {
		switch {
		case are(expected - off):
			return expected - off
		case are(expected + off):
			return expected + off
		}
	}
	return expected
}
