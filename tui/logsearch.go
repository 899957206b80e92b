package tui

import (
	"math"

	tea "charm.land/bubbletea/v2"
)

// logSearch is a search for a line in the part of a record that is not loaded.
type logSearch struct {
	step   int // 1 searches forward, -1 backward
	match  func(*logLine) bool
	loaded int    // the next matching line of those that are loaded; -1 if there is none
	none   string // what to show if no line matches
}

// search shows the next line that matches, in the direction of step. It wraps around at the end of
// the log. What is not loaded is searched in the background.
func (p *pane) search(step int, match func(*logLine) bool, none string, style *logStyle) effect {
	if len(p.lines().lines) == 0 {
		return refusal("the log is empty")
	}
	from, to := p.shown(style)
	switch {
	case p.scrolled && p.top > from && p.top < p.lines().next:
		from = p.top // the last match, which is further down
	case !p.scrolled && step > 0: // from the end, the next match is the first of all
		from = to - 1
	}
	n := p.lines().find(from, step, match)
	if wraps := n < 0 || (n-from)*step <= 0; wraps && p.recordHasMore() {
		return p.searchRecord(&logSearch{step, match, n, none})
	}
	return p.showMatch(n, none, style)
}

// showMatch shows the line that a search found; -1 is none.
func (p *pane) showMatch(n int, none string, style *logStyle) effect {
	if n < 0 {
		return refusal(none)
	}
	if s := p.lines().span(n, p.folds(style)); s.from < s.to {
		style.unfold = true
	}
	p.show(n)
	return effect{}
}

// searchRecord searches what is not loaded, and reads the page around the first match.
func (p *pane) searchRecord(s *logSearch) effect {
	if p.searching() {
		return effect{}
	}
	f := &fetch{goal: s}
	loaded := loadedLines{from: 0, to: math.MaxInt}
	if p.page != nil {
		f.run, loaded.from, loaded.to = p.page.run, p.page.lines.first(), p.page.lines.next
	} else {
		f.run, f.texts, loaded.tail = p.record.run, p.buffer.oldestTexts(matchTexts), len(p.buffer.lines)
	}
	p.fetch = f
	reader := p.record
	return run(background(func() tea.Msg {
		page, err := reader.search(f, loaded)
		return recordPageMsg{p, f, page, err}
	}))
}

// loadedLines is the part of a record that a search may skip: the lines from from up to, but not
// including, to. If tail is positive, it is instead the last tail lines of the buffer, whose place
// in the record is not known yet.
type loadedLines struct{ from, to, tail int }

// search returns the page around the first match, or nil if there is none. It sets the line to show
// in f.
func (r *recordReader) search(f *fetch, loaded loadedLines) (*recordPage, error) {
	if loaded.tail > 0 {
		lines, first, total, err := r.read(f.run, r.host, -(loaded.tail + halfPage), pageLines)
		if err != nil {
			return nil, err
		}
		loaded.from = max(newRecordPage(f.run, first, total, lines).lines.locate(f.texts, total-loaded.tail), 0)
	}
	backward := f.goal.step < 0
	ranges := [][2]int{{loaded.to, math.MaxInt}, {0, loaded.from}}
	if backward {
		ranges[0], ranges[1] = ranges[1], ranges[0]
	}
	match := func(t Text) bool { return f.goal.match(&logLine{stream: t.Stream, text: t.Line}) }
	for _, at := range ranges {
		if at[0] == at[1] {
			continue
		}
		n, err := r.find(LogSearch{Run: f.run, Host: r.host, From: at[0], To: at[1], Last: backward, Match: match})
		if err != nil {
			return nil, err
		}
		if n >= 0 {
			f.top, f.from = n, max(n-halfPage, 0)
			lines, first, total, err := r.read(f.run, r.host, f.from, pageLines)
			return newRecordPage(f.run, first, total, lines), err
		}
	}
	return nil, nil
}

// searching reports whether a search is in progress.
func (p *pane) searching() bool { return p.fetch != nil && p.fetch.goal != nil }

func (p *pane) stopSearch() {
	if p.searching() {
		p.fetch = nil
	}
}
