package tui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/fleet/health"
)

// column is one column of the table.
type column struct {
	name     string // as in the configuration
	head     string
	width    int
	priority int  // columns with a higher number are left out first if the window is narrow
	number   bool // aligned to the right
	draw     func(c cell) string
	order    func(a, b *row, now time.Time) int // nil if the table cannot be sorted by the column
	needs    figure                             // hidden if no host has it; 0 if it is never hidden
	atRest   bool                               // hidden during a run
}

// cell is a host's field of a column, with what is needed to draw it.
type cell struct {
	*row
	*painter
	width int
	now   time.Time
	calm  bool
}

// minDetailWidth is the least width at which the last column, which takes the rest of the line, is
// useful.
const minDetailWidth = 18

// wideDetailWidth is the least width of the last column beside the preview, which has what the
// columns of low priority would show.
const wideDetailWidth = 40

// allColumns returns all columns in their default order. The mark and the name come before them and
// are always shown.
func allColumns() []column {
	return []column{
		{name: "state", head: "STATE", width: 2 + wordWidth, priority: 0, draw: drawState,
			order: func(a, b *row, _ time.Time) int { return cmp.Compare(a.judged.State, b.judged.State) }},
		{name: "kind", head: "KIND", width: 6, priority: 8,
			draw:  func(c cell) string { return pad(string(c.Kind), c.width) },
			order: func(a, b *row, _ time.Time) int { return cmp.Compare(a.Kind, b.Kind) }},
		{name: "cells", head: "GLSA", width: 4, priority: 2, draw: drawGlyphs,
			order: func(a, b *row, _ time.Time) int { return cmp.Compare(b.judged.System, a.judged.System) }},
		{name: "revision", head: "REVISION", width: 8, priority: 3, draw: drawRevision,
			order: func(a, b *row, _ time.Time) int { return cmp.Compare(a.judged.Revision, b.judged.Revision) }},
		{name: "behind", head: "BEHIND", width: 6, priority: 5, number: true, draw: drawBehind,
			needs: commitsBehind,
			order: func(a, b *row, _ time.Time) int { return cmp.Compare(b.judged.Behind, a.judged.Behind) }},
		{name: "generation", head: "GEN", width: 5, priority: 6, number: true, atRest: true, needs: generationNumber,
			draw:  func(c cell) string { return padLeft(digits(c.judged.Generation), c.width) },
			order: func(a, b *row, _ time.Time) int { return cmp.Compare(b.judged.Generation, a.judged.Generation) }},
		{name: "cpu", head: "CPU", width: 4, priority: 7, number: true, atRest: true, needs: cpuLoad,
			draw:  func(c cell) string { return drawPercent(c, cpu(c.row)) },
			order: func(a, b *row, _ time.Time) int { return cmp.Compare(cpu(b), cpu(a)) }},
		{name: "memory", head: "MEM", width: 4, priority: 7, number: true, atRest: true, needs: memoryUse,
			draw:  func(c cell) string { return drawPercent(c, memory(c.row)) },
			order: func(a, b *row, _ time.Time) int { return cmp.Compare(memory(b), memory(a)) }},
		{name: "wave", head: "WAVE", width: 4, priority: 9, number: true,
			draw:  func(c cell) string { return padLeft(digits(c.Wave), c.width) },
			order: func(a, b *row, _ time.Time) int { return cmp.Compare(a.Wave, b.Wave) }},
		{name: "time", head: "TIME", width: clockWidth, priority: 1, number: true, draw: drawTime,
			order: func(a, b *row, now time.Time) int { return cmp.Compare(b.clock(now, false), a.clock(now, false)) }},
		{name: "bar", width: barWidth, priority: 4, draw: drawBar},
	}
}

// ColumnNames returns the names of the table's columns.
func ColumnNames() []string {
	var names []string
	for _, c := range allColumns() {
		names = append(names, c.name)
	}
	return names
}

// columnSet is the columns that the operator has chosen.
type columnSet struct {
	chosen   []column
	all      bool     // hide none of them
	fitting  []column // those that were shown last time
	fittedTo fitKey   // for what
}

// fitKey is everything that the choice of columns depends on.
type fitKey struct {
	width, detail int
	hidden        uint64 // a bit for each of the chosen columns
	agents        bool   // the fourth sign of the cells is shown
	spaced        bool   // the signs are apart
}

// newColumnSet returns the columns of those names in that order, or all of them if there are no
// names.
func newColumnSet(names []string) columnSet {
	all := allColumns()
	if len(names) == 0 {
		return columnSet{chosen: all}
	}
	set := columnSet{all: true}
	for _, name := range names {
		if i := slices.IndexFunc(all, func(c column) bool { return c.name == name }); i >= 0 {
			set.chosen = append(set.chosen, all[i])
		}
	}
	return set
}

func (s *columnSet) index(name string) int {
	return slices.IndexFunc(s.chosen, func(c column) bool { return c.name == name })
}

// fit returns the columns that there is room for, leaving out those that are hidden and those of
// the lowest priority. The last column, which takes the rest of the line, gets at least the width
// detail. It reports whether these are others than the last time.
func (s *columnSet) fit(key fitKey) (columns []column, changed bool) {
	if s.fittedTo == key {
		return s.fitting, false
	}
	var some []column
	for i, c := range s.chosen {
		if key.hidden&(1<<i) != 0 {
			continue
		}
		if c.name == "cells" {
			c.head, c.width = cellHead(key.agents, key.spaced)
		}
		some = append(some, c)
	}
	s.fitting, s.fittedTo = fit(some, key.width, key.detail), key
	return s.fitting, true
}

// cellHead returns the head of the signs, and their width.
func cellHead(agents, spaced bool) (head string, width int) {
	switch {
	case agents && spaced:
		return "G L S A", 7
	case agents:
		return "GLSA", 4
	case spaced:
		return "G L S", 5
	}
	return "GLS", 3
}

// hidden returns which of the columns have nothing to show, as bits. That of the sort column is not
// set, nor is any bit if the operator has chosen the columns.
func (s *columnSet) hidden(h *hosts, running bool, sort int) uint64 {
	if s.all {
		return 0
	}
	var bits uint64
	for i, c := range s.chosen {
		switch {
		case i == sort:
		case c.name == "bar" && !running, c.name == "kind" && h.oneKind, c.name == "wave" && h.oneWave,
			c.atRest && running, c.needs != 0 && h.figures[c.needs] == 0:
			bits |= 1 << i
		}
	}
	return bits
}

func fit(all []column, width, detail int) []column {
	need := func(limit int) int {
		sum := 0
		for _, c := range all {
			if c.priority < limit {
				sum += c.width + 1
			}
		}
		return sum
	}
	limit := 10
	for limit > 1 && need(limit)+detail > width {
		limit--
	}
	var fitting []column
	for _, c := range all {
		if c.priority < limit {
			fitting = append(fitting, c)
		}
	}
	return fitting
}

func drawState(c cell) string {
	ink, mark, word := c.row.state(c.painter)
	return ink.Paint(pad(mark+" "+word, c.width))
}

func drawGlyphs(c cell) string {
	j, gap := &c.judged, ""
	if c.width > 4 {
		gap = " "
	}
	text := c.glyphs[j.Git] + gap + c.glyphs[j.Lock] + gap + c.glyphs[j.System]
	if _, width := cellHead(true, gap != ""); c.width == width {
		text += gap + c.glyphs[j.Agent]
	}
	return text
}

func drawRevision(c cell) string {
	text := pad(health.Short(c.judged.Revision), c.width)
	if c.judged.Drift.Has(health.Outdated) {
		return c.palette.Warn.Paint(text)
	}
	return text
}

func drawBehind(c cell) string {
	n := c.judged.Behind
	if n == 0 {
		return strings.Repeat(" ", c.width)
	}
	return c.palette.Warn.Paint(padLeft("↓"+digits(n), c.width))
}

// drawTime draws a stopwatch while the host is being changed, otherwise how long ago it answered.
func drawTime(c cell) string {
	d := c.clock(c.now, c.calm)
	switch {
	case c.activity != "":
		return padLeft(stopwatch(d), c.width)
	case !c.showsRun():
		return c.palette.Faint.Paint(padLeft(ago(d), c.width))
	case c.work.Began.IsZero():
		return strings.Repeat(" ", c.width)
	}
	return padLeft(stopwatch(d), c.width)
}

func drawBar(c cell) string {
	if c.work == nil || c.calm {
		return strings.Repeat(" ", barWidth)
	}
	return c.bar(c.work)
}

// drawPercent draws a percentage, or blanks if it is negative.
func drawPercent(c cell, percent float64) string {
	if percent < 0 {
		return strings.Repeat(" ", c.width)
	}
	text := padLeft(fmt.Sprintf("%.0f%%", percent), c.width)
	if percent >= 90 {
		return c.palette.Bad.Paint(text)
	}
	return text
}

// cpu returns the percentage in use, or -1 if it is unknown.
func cpu(r *row) float64 {
	if h := r.status.Health; h != nil && h.CPU != nil {
		return *h.CPU
	}
	return -1
}

// memory returns the percentage in use, or -1 if it is unknown.
func memory(r *row) float64 {
	if h := r.status.Health; h != nil {
		return percentUsed(h.Memory)
	}
	return -1
}

// percentUsed returns the percentage in use, or -1 if it is unknown.
func percentUsed(a *health.Amount) float64 {
	if a == nil || a.Total == 0 {
		return -1
	}
	return 100 * float64(a.Total-min(a.Free, a.Total)) / float64(a.Total)
}
