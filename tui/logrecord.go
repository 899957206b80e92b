package tui

import (
	tea "charm.land/bubbletea/v2"
)

// pageLines is how many lines of a record are read at once. After half of them have been scrolled,
// the next are read.
const (
	pageLines = 10000
	halfPage  = pageLines / 2
)

// matchTexts is how many lines of the buffer are looked up in a record to align the two.
const matchTexts = 8

// recordReader reads the log of a host from the record of a run.
type recordReader struct {
	host    string // "" if the pane is not the log of a host
	run     string // whose lines the buffer has; "" if no run has started
	started int    // the number in the buffer of the first line of that run
	read    func(run, host string, from, limit int) (lines []Text, first, total int, err error)
	find    func(LogSearch) (int, error)
}

// recordPage is a part of a host's log in a run's record. Lines have the same number in every page,
// so that scrolling continues when one page replaces another.
type recordPage struct {
	run   string
	lines *logBuffer
	total int // lines that the record had when it was read
}

func (p *recordPage) last() bool { return p.lines.next >= p.total }

// newRecordPage returns a page of lines of which the first has that number.
func newRecordPage(run string, first, total int, lines []Text) *recordPage {
	b := &logBuffer{limit: len(lines), lines: make([]logLine, len(lines)), next: first}
	for _, l := range lines {
		b.push(logLine{stream: l.Stream, text: l.Line})
	}
	return &recordPage{run: run, lines: b, total: total}
}

// fetch is a page that is being read.
type fetch struct {
	run string
	// from is the number of its first line, counted from the end of the log if it is negative.
	from int
	// top is the number of the line to show at the top. With texts, it is how many lines above the
	// start of the buffer that line is, as a negative number.
	top   int
	texts []string   // of the oldest lines in the buffer; nil if top is a number
	goal  *logSearch // what is searched for; nil if the place is known
	end   bool       // it is the end of a log of which the buffer has no lines
}

// recordPageMsg is the result of a fetch. Its page is nil if the line that was searched for is not
// in the record.
type recordPageMsg struct {
	pane *pane
	*fetch
	page *recordPage
	err  error
}

// read reads the page of a fetch in the background.
func (p *pane) read(f *fetch) effect {
	p.fetch = f
	host, read := p.record.host, p.record.read
	return run(background(func() tea.Msg {
		lines, first, total, err := read(f.run, host, f.from, pageLines)
		return recordPageMsg{p, f, newRecordPage(f.run, first, total, lines), err}
	}))
}

// scroll scrolls by a number of lines. What the buffer does not have is read from the run's record.
func (p *pane) scroll(lines int, style *logStyle) effect {
	missing := p.move(lines, style)
	p.stopSearch() // scrolling by hand cancels a search
	if missing == 0 || p.fetch != nil || p.record.host == "" || p.record.read == nil {
		return effect{}
	}
	f := &fetch{}
	switch {
	case missing > halfPage: // to the end of the log
		return p.toEnd()
	case p.page != nil:
		f.run, f.top = p.page.run, max(p.top+missing, 0)
		if missing < 0 && p.page.lines.first() == 0 {
			return effect{} // the log starts here
		}
		f.from = max(f.top-halfPage, 0)
	case !p.recordHasMore():
		return effect{}
	case missing < -halfPage: // to the start of the log
		f.run = p.record.run
	default:
		f.run, f.top, f.from = p.record.run, missing, -(len(p.buffer.lines) + halfPage)
		f.texts = p.buffer.oldestTexts(matchTexts)
	}
	return p.read(f)
}

// recordHasMore reports whether a record has lines of this log that are not loaded.
func (p *pane) recordHasMore() bool {
	switch {
	case p.record.host == "" || p.record.read == nil || p.record.find == nil:
		return false
	case p.page != nil:
		return p.page.lines.first() > 0 || !p.page.last()
	}
	return p.record.run != "" && len(p.buffer.lines) == p.buffer.limit && p.record.started < p.buffer.first()
}

// readPast shows the end of the log of a past run, if the buffer has no newer lines.
func (p *pane) readPast(run string) effect {
	if len(p.buffer.lines) > 0 || p.page != nil || p.fetch != nil || p.record.read == nil {
		return effect{}
	}
	return p.readEnd(run)
}

// toEnd follows the end of the log, which is that of the record if there are no newer lines.
func (p *pane) toEnd() effect {
	if p.record.host != "" && p.page != nil && !p.page.last() && len(p.buffer.lines) == 0 {
		return p.readEnd(p.page.run)
	}
	p.follow()
	return effect{}
}

func (p *pane) readEnd(run string) effect {
	return p.read(&fetch{run: run, from: -pageLines, end: true})
}

// showFetched shows a page that was read, unless it is no longer wanted.
func (p *pane) showFetched(msg recordPageMsg, style *logStyle) effect {
	f := msg.fetch
	if p.fetch != f {
		return effect{}
	}
	p.fetch = nil
	switch {
	case msg.err != nil && f.end: // the run did not start on the host, so there is no log
		return effect{}
	case msg.err != nil:
		return refusal(firstLine(msg.err))
	case msg.page == nil:
		return p.showMatch(f.goal.loaded, f.goal.none, style)
	}
	switch lines := msg.page.lines; {
	case f.end:
		if len(lines.lines) > 0 && len(p.buffer.lines) == 0 {
			p.page, p.scrolled = msg.page, true
			p.follow()
		}
		return effect{}
	case len(lines.lines) == 0:
		return refusal("the record has no more lines")
	case f.from < 0:
		f.top += lines.locate(f.texts, msg.page.total-len(p.buffer.lines))
	}
	p.page = msg.page
	p.show(f.top)
	return effect{}
}

// closeRecord shows the buffer again.
func (p *pane) closeRecord() {
	if p.page != nil {
		p.page, p.scrolled = nil, false
	}
}
