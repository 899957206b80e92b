package tui

import (
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// pane is a window onto a tail. What it costs to draw does not depend on how long the log is.
type pane struct {
	tail   *tail
	top    int    // the number of the first line that shows, where it does not follow
	away   bool   // it was scrolled, and does not follow the log's end
	height int    // as drawn last
	spans  []span // that show

	page  *page  // of the run's record, instead of the tail; nil where the tail shows
	fetch *fetch // of another page, under way; nil where none is
}

// lines are those that it is a window onto.
func (p *pane) lines() *tail {
	if p.page != nil {
		return p.page.lines
	}
	return p.tail
}

// manner is how all panes are drawn.
type manner struct {
	wrap   bool
	unfold bool // builds' own lines show, each by itself
	stamps bool
	search string // in lower case
}

// visible returns the numbers of the lines that may show, [from, to), and notes the spans that they are in.
func (p *pane) visible(height int, m manner) (from, to int) {
	t, fold := p.lines(), p.folds(m)
	p.spans = p.spans[:0]
	if len(t.lines) == 0 || height < 1 {
		return t.next, t.next
	}
	from = min(max(p.top, t.first()), t.next-1)
	if !p.away {
		from, _ = t.step(t.next-1, 1-height, fold)
	}
	for to = from; to < t.next && len(p.spans) < height; to = p.spans[len(p.spans)-1].to + 1 {
		p.spans = append(p.spans, t.span(to, fold))
	}
	return p.spans[0].from, to
}

// folds reports whether builds' own lines are folded. Of a record every line shows: a page may have no others.
func (p *pane) folds(m manner) bool { return !m.unfold && p.page == nil }

// seen is visible, in the window as it was drawn last.
func (p *pane) seen(m manner) (from, to int) { return p.visible(max(p.height, 1), m) }

// move scrolls by so many lines. At the log's end it follows again. What it returns is for how many lines more there would have to be: above
// where it is negative, below where it is positive.
func (p *pane) move(lines int, m manner) (missing int) {
	from, _ := p.seen(m)
	top, left := p.lines().step(from, lines, p.folds(m))
	_, below := p.lines().step(top, p.height, p.folds(m))
	p.top, p.away = top, below == 0 || p.page != nil
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

// follow shows the log's end: that of the record where nothing has been said since.
func (p *pane) follow() {
	p.fetch = nil
	if p.page != nil && len(p.tail.lines) == 0 {
		p.top, _ = p.page.lines.step(p.page.lines.next-1, 1-max(p.height, 1), false)
		return
	}
	p.page, p.away = nil, false
}

// show scrolls to the line of that number.
func (p *pane) show(n int) {
	p.top, p.away = max(n, p.lines().first()), true
}

// draw appends exactly height lines, each ended by a newline.
func (p *pane) draw(out *strings.Builder, b *brush, width, height int, m manner) {
	p.height = height
	p.visible(height, m)
	if len(p.spans) == 0 && height > 0 {
		out.WriteString(b.palette.Faint.Paint("   nothing has been said yet") + "\n")
		blank(out, height-1)
		return
	}
	if !m.wrap {
		for _, s := range p.spans {
			p.line(out, b, s, width, m)
		}
		blank(out, height-len(p.spans))
		return
	}
	// Wrapped, a line may take many rows: only those that show are looked at, from the end where the end is followed.
	var rows []string
	for _, s := range p.spans {
		var one strings.Builder
		p.line(&one, b, s, 0, m)
		rows = append(rows, strings.Split(ansi.Hardwrap(strings.TrimSuffix(one.String(), "\n"), width, true), "\n")...)
	}
	if !p.away {
		rows = rows[max(len(rows)-height, 0):]
	}
	rows = rows[:min(len(rows), height)]
	for _, row := range rows {
		out.WriteString(row)
		out.WriteByte('\n')
	}
	blank(out, height-len(rows))
}

func blank(out *strings.Builder, lines int) {
	for range lines {
		out.WriteByte('\n')
	}
}

// line appends a span as one line, cut to width unless that is 0.
func (p *pane) line(out *strings.Builder, b *brush, s span, width int, m manner) {
	l := p.lines().line(s.to)
	left := width
	if m.stamps {
		stamp := "         " // what is read from a record has no times
		if !l.at.IsZero() {
			stamp = l.at.Format("15:04:05") + " "
		}
		b.palette.Faint.put(out, stamp)
		left -= len(stamp)
	}
	if l.host != "" {
		b.inks[l.host].put(out, l.host)
		out.WriteString("  ")
		left -= ansi.StringWidth(l.host) + 2
	}
	if folded := s.folded(); folded != "" {
		b.palette.Faint.put(out, folded)
		left -= ansi.StringWidth(folded)
	}
	text := l.text
	if width > 0 {
		text = cut(text, left)
	}
	ink := b.streamInk(l)
	if m.search == "" || !contains(l, m.search) {
		ink.put(out, text)
	} else {
		highlight(out, ink, b.palette.Match, text, m.search)
	}
	out.WriteByte('\n')
}

func (b *brush) streamInk(l *logLine) Ink {
	switch {
	case l.stream == "warn":
		return b.palette.Warn
	case l.stream == "note":
		return b.palette.Strong
	case strings.HasPrefix(l.text, "error:"):
		return b.palette.Bad
	}
	return Ink{}
}

// cut makes text at most width columns wide. Most lines are ASCII, and their bytes are their columns.
func cut(text string, width int) string {
	switch {
	case width <= 0:
		return ""
	case len(text) <= width:
		return text
	case utf8.RuneCountInString(text[:width]) == width: // no more than ASCII, as far as it shows
		return text[:width-1] + "…"
	}
	return ansi.Truncate(text, width, "…")
}

func contains(l *logLine, lower string) bool {
	return strings.Contains(strings.ToLower(l.text), lower)
}

// highlight paints what was searched for in an ink of its own.
func highlight(out *strings.Builder, ink, match Ink, text, lower string) {
	folded := strings.ToLower(text)
	if len(folded) != len(text) { // a letter whose small form is longer: places do not match
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
