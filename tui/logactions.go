package tui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// toggleFollow follows the end of the log, or stays at what is shown.
func (p *pane) toggleFollow(style *logStyle) effect {
	p.stopSearch()
	if p.scrolled {
		return p.toEnd()
	}
	from, _ := p.shown(style)
	p.show(from)
	return effect{}
}

// toggleFold shows build output, or how many lines it has. The first line shown stays where it is.
func (p *pane) toggleFold(style *logStyle) effect {
	if p.page != nil {
		return refusal("a record is never folded")
	}
	p.top, _ = p.shown(style)
	style.unfold = !style.unfold
	return effect{}
}

func (p *pane) nextMatch(style *logStyle) effect { return p.findMatch(1, style) }

func (p *pane) previousMatch(style *logStyle) effect { return p.findMatch(-1, style) }

func (p *pane) findMatch(step int, style *logStyle) effect {
	text := style.search
	if text == "" {
		return refusal("search for something first")
	}
	return p.search(step, func(l *logLine) bool { return l.contains(text) }, fmt.Sprintf("no line contains %q", text), style)
}

func (p *pane) nextError(style *logStyle) effect {
	return p.search(1, (*logLine).problem, "no errors or warnings in this log", style)
}

// copyShown copies the lines that are shown, including folded ones, to the clipboard.
func (p *pane) copyShown(style *logStyle) effect {
	from, to := p.shown(style)
	var text strings.Builder
	for n := from; n < to; n++ {
		text.WriteString(p.lines().line(n).text + "\n")
	}
	e := info(fmt.Sprintf("copied %s (if your terminal allows it)", plural(to-from, "line")))
	e.cmd = tea.SetClipboard(text.String())
	return e
}
