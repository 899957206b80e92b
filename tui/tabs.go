package tui

import (
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// logs holds the fleet's own log, and decides whose log is shown below the table and how logs are
// drawn.
type logs struct {
	fleet        pane
	report       *report  // about what has finished last; nil if there is none
	followCursor bool     // show the log of the host under the cursor
	forRun       bool     // a run has chosen what is shown, until the cursor moves
	onReport     bool     // otherwise: the report is shown
	tab          string   // otherwise: the host whose log is shown; "" is the fleet's
	pins         []string // hosts whose logs have tabs of their own
	style        logStyle
}

const maxFleetLines = 10000 // lines kept of the fleet's own log

func newLogs() logs {
	return logs{fleet: pane{buffer: newLogBuffer(maxFleetLines)}, followCursor: true}
}

// nextTab shows the next of: the log of the host under the cursor, the fleet's, the report, the
// logs of pinned hosts.
func (l *logs) nextTab() {
	i := slices.Index(l.pins, l.tab)
	l.forRun = false
	switch {
	case l.followCursor:
		l.followCursor, l.tab = false, ""
	case l.tab == "" && !l.onReport && l.report != nil:
		l.onReport = true
	case l.tab == "" && len(l.pins) > 0:
		l.onReport, l.tab = false, l.pins[0]
	case l.tab != "" && i >= 0 && i+1 < len(l.pins):
		l.tab = l.pins[i+1]
	default:
		l.followCursor, l.onReport, l.tab = true, false, ""
	}
}

// showRun shows the fleet's log, which has the story of a run that starts, instead of the log of
// the host under the cursor.
func (l *logs) showRun() {
	if l.followCursor || l.onReport {
		l.followCursor, l.onReport, l.tab, l.forRun = false, false, "", true
	}
}

// addReport keeps a report. It is shown until the cursor moves, unless the operator has chosen a
// tab or, with quietly, is reading a log.
func (l *logs) addReport(r *report, quietly bool) {
	l.report = r
	if !quietly && (l.followCursor || l.forRun) {
		l.followCursor, l.onReport, l.tab, l.forRun = false, true, "", true
	}
}

// cursorMoved shows the log of the host under the cursor again if a run has replaced it.
func (l *logs) cursorMoved() {
	if l.forRun {
		l.followCursor, l.onReport, l.forRun = true, false, false
	}
}

// togglePin keeps a tab for a host's log, or removes it.
func (l *logs) togglePin(host string) {
	i := slices.Index(l.pins, host)
	if i < 0 {
		l.pins = append(l.pins, host)
		return
	}
	l.pins = slices.Delete(l.pins, i, i+1)
	if l.tab == host {
		l.followCursor, l.tab = true, ""
	}
}

// tabBar builds the line above a log: what is shown, what else could be, and how it is shown.
type tabBar struct {
	*painter
	line    strings.Builder
	focused bool // keys go to what is below
}

// rule returns a piece of the line, which is heavy if keys go to what is below.
func (t *tabBar) rule() string {
	if t.focused {
		return "━"
	}
	return "─"
}

func (t *tabBar) ink() Ink {
	if t.focused {
		return t.palette.Busy
	}
	return t.palette.Faint
}

func (t *tabBar) tab(name string, ink Ink, shown bool) {
	if !shown {
		t.line.WriteString(t.ink().Paint(t.rule() + t.rule() + " " + name + " "))
		return
	}
	t.palette.Strong.put(&t.line, t.rule()+"[ ")
	ink.put(&t.line, name)
	t.palette.Strong.put(&t.line, " ]")
}

func (t *tabBar) note(text string) {
	if text != "" {
		t.line.WriteString(t.ink().Paint(t.rule() + t.rule() + " " + text + " "))
	}
}

// writeTo appends the line, cut or filled to width.
func (t *tabBar) writeTo(out *strings.Builder, width int) {
	text := ansi.Truncate(t.line.String(), width, "…")
	out.WriteString(text)
	t.ink().put(out, strings.Repeat(t.rule(), width-ansi.StringWidth(text)))
	out.WriteByte('\n')
}

// drawTabs draws the line above the log.
func (u *ui) drawTabs(out *strings.Builder) {
	bar := tabBar{painter: &u.painter, focused: u.page.row != nil || u.focus == onLog}
	bar.line.Grow(4 * u.width)
	shown := u.pane()
	tabs := u.logTabs
	if u.page.row != nil {
		tabs = u.pageTabs
	}
	for _, t := range tabs() {
		bar.tab(t.name, t.ink, t.shown)
	}
	isLog := u.page.row == nil && !u.logs.onReport || u.page.row != nil && u.page.tab == logTab
	bar.note(shown.status(u.logHeight(), isLog, &u.logs.style))
	bar.writeTo(out, u.width)
}

// status returns how the pane is shown, in words: "scrolled, wrapped, /error". isLog is false for
// texts, which are always shown from their first line.
func (p *pane) status(height int, isLog bool, style *logStyle) string {
	var words []string
	switch {
	case p.page != nil:
		from, _ := p.visible(height, style)
		words = append(words, fmt.Sprintf("from the record, line %d of %d", from+1, p.page.total))
	case p.scrolled && isLog:
		words = append(words, "scrolled")
	}
	if p.searching() {
		words = append(words, "searching the record")
	}
	if style.wrap {
		words = append(words, "wrapped")
	}
	if style.search != "" {
		words = append(words, "/"+style.search)
	}
	return strings.Join(words, ", ")
}
