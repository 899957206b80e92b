package tui

import (
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
)

// pane is a window onto a log. What it costs to draw does not depend on the length of the log.
type pane struct {
	buffer   *logBuffer
	top      int    // the number of the first line shown, if scrolled
	scrolled bool   // it does not follow the end of the log
	height   int    // when last drawn
	spans    []span // that are shown

	record recordReader
	// page is a page of the run's record, shown instead of the buffer; nil if the buffer is shown.
	page  *recordPage
	fetch *fetch // of another page, in progress; nil if there is none
}

// logStyle is how all panes are drawn.
type logStyle struct {
	wrap   bool   // long lines are wrapped, not cut
	unfold bool   // every line of build output is shown
	times  bool   // every line starts with its time
	search string // the text searched for, in lower case; "" if there is none
}

// textPane returns a pane that shows a text from its first line.
func textPane(now time.Time, lines []Text) *pane {
	p := &pane{buffer: newLogBuffer(len(lines)), scrolled: true}
	for _, l := range lines {
		p.buffer.push(logLine{at: now, stream: l.Stream, text: l.Line})
	}
	return p
}

// lines returns the lines that the pane is a window onto.
func (p *pane) lines() *logBuffer {
	if p.page != nil {
		return p.page.lines
	}
	return p.buffer
}

// visible returns the numbers of the lines that fit into height, [from, to), and updates the spans
// that are shown.
func (p *pane) visible(height int, style *logStyle) (from, to int) {
	b, fold := p.lines(), p.folds(style)
	p.spans = p.spans[:0]
	if len(b.lines) == 0 || height < 1 {
		return b.next, b.next
	}
	from, _ = b.step(b.next-1, 1-height, fold) // the pane is full, if the log has as many lines
	switch {
	case p.scrolled && style.wrap: // fewer lines fit
		from = min(max(p.top, b.first()), b.next-1)
	case p.scrolled:
		from = min(max(p.top, b.first()), from)
	}
	for to = from; to < b.next && len(p.spans) < height; to = p.spans[len(p.spans)-1].to + 1 {
		p.spans = append(p.spans, b.span(to, fold))
	}
	return p.spans[0].from, to
}

// folds reports whether build output is folded. A record is not folded: a page may have no other
// lines.
func (p *pane) folds(style *logStyle) bool { return !style.unfold && p.page == nil }

// shown returns the numbers of the lines that are shown in the window as it was last drawn, [from,
// to).
func (p *pane) shown(style *logStyle) (from, to int) { return p.visible(max(p.height, 1), style) }

// move scrolls down by a number of lines, or up if it is negative. At the end of the log it follows
// again. It returns how many lines are missing: above if the number is negative, below if it is
// positive.
func (p *pane) move(lines int, style *logStyle) (missing int) {
	from, _ := p.shown(style)
	top, left := p.lines().step(from, lines, p.folds(style))
	_, below := p.lines().step(top, p.height, p.folds(style))
	p.top, p.scrolled = top, below == 0 || p.page != nil
	switch {
	case lines < 0:
		return left
	case p.page == nil:
		p.fetch = nil
		return 0
	case below == 0:
		return 0
	case p.page.last():
		p.follow()
		return 0
	}
	return max(left, 1)
}

// follow shows the end of the log: that of the record if there are no newer lines.
func (p *pane) follow() {
	p.fetch = nil
	if p.page != nil && len(p.buffer.lines) == 0 {
		p.top, _ = p.page.lines.step(p.page.lines.next-1, 1-max(p.height, 1), false)
		return
	}
	p.page, p.scrolled = nil, false
}

// show scrolls to the line of that number.
func (p *pane) show(n int) {
	p.top, p.scrolled = max(n, p.lines().first()), true
}

// draw appends exactly height lines, each ending in a newline.
func (p *pane) draw(out *strings.Builder, pt *painter, width, height int, style *logStyle) {
	p.height = height
	p.visible(height, style)
	if len(p.spans) == 0 && height > 0 {
		out.WriteString(pt.palette.Faint.Paint("   no output yet") + "\n")
		blankLines(out, height-1)
		return
	}
	if style.wrap {
		p.drawWrapped(out, pt, width, height, style)
		return
	}
	for _, s := range p.spans {
		p.line(out, pt, s, width, style)
	}
	blankLines(out, height-len(p.spans))
}

// drawWrapped draws like draw, with long lines wrapped. If the end of the log is followed, its last
// rows are shown.
func (p *pane) drawWrapped(out *strings.Builder, pt *painter, width, height int, style *logStyle) {
	var rows []string
	for _, s := range p.spans {
		var one strings.Builder
		p.line(&one, pt, s, 0, style)
		rows = append(rows, strings.Split(ansi.Hardwrap(strings.TrimSuffix(one.String(), "\n"), width, true), "\n")...)
	}
	if !p.scrolled {
		rows = rows[max(len(rows)-height, 0):]
	}
	rows = rows[:min(len(rows), height)]
	for _, row := range rows {
		out.WriteString(row)
		out.WriteByte('\n')
	}
	blankLines(out, height-len(rows))
}

func blankLines(out *strings.Builder, lines int) {
	for range lines {
		out.WriteByte('\n')
	}
}

// line appends a span as one line, cut to width unless that is 0.
func (p *pane) line(out *strings.Builder, pt *painter, s span, width int, style *logStyle) {
	l := p.lines().line(s.to)
	left := width
	if style.times {
		stamp := "         " // lines that are read from a record have no times
		if !l.at.IsZero() {
			stamp = l.at.Format("15:04:05") + " "
		}
		pt.palette.Faint.put(out, stamp)
		left -= len(stamp)
	}
	if l.host != "" {
		pt.inks[l.host].put(out, l.host)
		out.WriteString("  ")
		left -= ansi.StringWidth(l.host) + 2
	}
	if prefix := s.prefix(); prefix != "" {
		pt.palette.Faint.put(out, prefix)
		left -= ansi.StringWidth(prefix)
	}
	text := l.text
	if width > 0 {
		text = truncate(text, left)
	}
	ink := pt.streamInk(l)
	if style.search == "" || !l.contains(style.search) {
		ink.put(out, text)
	} else {
		highlight(out, ink, pt.palette.Match, text, style.search)
	}
	out.WriteByte('\n')
}

func (pt *painter) streamInk(l *logLine) Ink {
	switch {
	case l.stream == "warn":
		return pt.palette.Warn
	case l.stream == "note":
		return pt.palette.Strong
	case l.stream == streamGood:
		return pt.palette.Good
	case l.stream == streamBad:
		return pt.palette.Bad
	case l.stream == streamFaint:
		return pt.palette.Faint
	case strings.HasPrefix(l.text, "error:"):
		return pt.palette.Bad
	}
	return Ink{}
}

// highlight paints text, and every occurrence of lower in it with an ink of its own. Case is
// ignored.
func highlight(out *strings.Builder, ink, match Ink, text, lower string) {
	folded := strings.ToLower(text)
	if len(folded) != len(text) {
		// the lower case of some letter has another length, so positions differ
		out.WriteString(ink.Paint(text))
		return
	}
	for {
		at := strings.Index(folded, lower)
		if at < 0 {
			out.WriteString(ink.Paint(text))
			return
		}
		end := at + len(lower)
		out.WriteString(ink.Paint(text[:at]))
		out.WriteString(match.Paint(text[at:end]))
		text, folded = text[end:], folded[end:]
	}
}
