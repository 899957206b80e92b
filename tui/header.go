package tui

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/markus-barta/nixfleet/fleet/health"
)

// drawHeader draws the first line: the fleet, how many hosts are in each state, the current run,
// and the target. If the line is too narrow for the states' words, it has only their marks.
func (u *ui) drawHeader(out *strings.Builder) {
	counts := u.countHosts()
	left := u.headerWith(counts.words)
	if ansi.StringWidth(left) > u.width {
		left = u.headerWith(counts.marks)
	}
	target := u.targetText(max(u.width-ansi.StringWidth(left)-2, 0))
	if target != "" {
		left += strings.Repeat(" ", u.width-ansi.StringWidth(left)-ansi.StringWidth(target))
	}
	u.write(out, left+target)
}

func (u *ui) headerWith(counts string) string {
	p := &u.palette
	parts := []string{p.Strong.Paint(u.options.Inventory.Name), counts}
	if u.runs.activeCount() > 0 && !u.hasTimeline() {
		runs := u.runs.active()
		s := runs[len(runs)-1]
		since := u.now.Sub(s.Began)
		if u.options.Settings.Calm {
			since = since.Truncate(time.Minute)
		}
		text := fmt.Sprintf("▸ %s %d%% %s", s.Start.Goal, u.runs.percent, stopwatch(since))
		if len(runs) > 1 {
			text = fmt.Sprintf("▸ %s %d%%", plural(len(runs), "run"), u.runs.percent)
		}
		parts = append(parts, p.Busy.Paint(text))
	}
	if u.options.ReadOnly != "" {
		parts = append(parts, p.Warn.Paint("read-only"))
	}
	return strings.Join(parts, "  ")
}

// targetText returns the target, cut to width, or "" if there is no room for its revision.
func (u *ui) targetText(width int) string {
	target := &u.hosts.target
	revision := health.Short(target.Revision)
	if revision == "" || width < len(revision) {
		return ""
	}
	text := u.options.Inventory.Branch + " " + revision
	if age := age(target.Time, u.now); age != "" {
		text += " " + age
	}
	if target.Subject != "" {
		text += " " + target.Subject
	}
	return u.palette.Faint.Paint(truncate(text, width))
}

// countsLine is how many hosts are in each state as text, and what the text was made from: that
// changes far less often than frames are drawn.
type countsLine struct {
	tally               [health.NumStates]int
	marked, hidden      int // how many are marked, and how many of these are not shown
	layout              uint64
	words, marks, title string
}

// countHosts returns how many hosts are in each state as text.
func (u *ui) countHosts() *countsLine {
	c, h, hidden := &u.counts, &u.hosts, u.list.hiddenMarks()
	if c.words != "" && c.tally == h.tally && c.marked == h.markedCount && c.hidden == hidden && c.layout == u.layout {
		return c
	}
	total := plural(len(h.rows), "host")
	header := total
	if h.markedCount > 0 {
		marked := fmt.Sprintf("  ● %d marked", h.markedCount)
		if hidden > 0 {
			marked += fmt.Sprintf(" (%d hidden)", hidden)
		}
		header += u.palette.Strong.Paint(marked)
	}
	*c = countsLine{
		tally: h.tally, marked: h.markedCount, hidden: hidden, layout: u.layout,
		words: header + h.formatTally("  ", func(n int, s health.State) string {
			ink, _ := u.palette.State(s)
			return ink.Paint(strconv.Itoa(n) + " " + s.String())
		}),
		marks: header + " " + h.formatTally(" ", func(n int, s health.State) string {
			ink, mark := u.palette.State(s)
			return ink.Paint(strconv.Itoa(n) + mark)
		}),
		title: "fleetctl " + u.options.Inventory.Name + ": " + total + h.formatTally("  ", func(n int, s health.State) string {
			return strconv.Itoa(n) + " " + s.String()
		}),
	}
	return c
}

// formatTally returns how many hosts are in each state, each formatted and after a gap. They add up
// to the number of hosts.
func (h *hosts) formatTally(gap string, format func(n int, s health.State) string) string {
	var text strings.Builder
	for state, n := range h.tally {
		if n > 0 {
			text.WriteString(gap + format(n, health.State(state)))
		}
	}
	return text.String()
}
