package tui

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/fleet/health"
)

// column is one column of the table.
type column struct {
	name  string // as the configuration has it
	head  string
	width int
	keep  int // columns with a higher number are left out first when the window is narrow
	draw  func(u *ui, r *row, c *column) string
	order func(u *ui, a, b *row) int
}

// minDetail is the least width at which the last column, which takes the rest, is useful.
const minDetail = 18

// columnTable returns all columns in their default order. The mark and the name come before them
// and are always shown.
func columnTable() []column {
	return []column{
		{"state", "STATE", 2 + wordWidth, 0, (*ui).drawState, func(_ *ui, a, b *row) int { return cmp.Compare(a.judged.State, b.judged.State) }},
		{"kind", "KIND", 6, 8, func(_ *ui, r *row, c *column) string { return pad(string(r.Kind), c.width) },
			func(_ *ui, a, b *row) int { return cmp.Compare(a.Kind, b.Kind) }},
		{"cells", "GLSA", 4, 2, (*ui).drawCells, func(_ *ui, a, b *row) int { return cmp.Compare(b.judged.System, a.judged.System) }},
		{"revision", "REVISION", 8, 3, (*ui).drawRevision, func(_ *ui, a, b *row) int { return cmp.Compare(a.judged.Revision, b.judged.Revision) }},
		{"behind", "BEHIND", 6, 5, (*ui).drawBehind, func(_ *ui, a, b *row) int { return cmp.Compare(b.judged.Behind, a.judged.Behind) }},
		{"generation", "GEN", 5, 6, func(_ *ui, r *row, c *column) string { return right(digits(r.judged.Generation), c.width) },
			func(_ *ui, a, b *row) int { return cmp.Compare(b.judged.Generation, a.judged.Generation) }},
		{"cpu", "CPU", 4, 7, func(u *ui, r *row, c *column) string { return u.percent(cpu(r), c.width) },
			func(_ *ui, a, b *row) int { return cmp.Compare(cpu(b), cpu(a)) }},
		{"memory", "MEM", 4, 7, func(u *ui, r *row, c *column) string { return u.percent(memory(r), c.width) },
			func(_ *ui, a, b *row) int { return cmp.Compare(memory(b), memory(a)) }},
		{"wave", "WAVE", 4, 9, func(_ *ui, r *row, c *column) string { return right(digits(r.Wave), c.width) },
			func(_ *ui, a, b *row) int { return cmp.Compare(a.Wave, b.Wave) }},
		{"time", "TIME", clockWidth, 1, (*ui).drawTime, func(u *ui, a, b *row) int {
			return cmp.Compare(b.clock(u.now, false), a.clock(u.now, false))
		}},
		{"bar", "", barWidth, 4, func(u *ui, r *row, _ *column) string {
			if r.work == nil || u.o.Settings.Calm {
				return strings.Repeat(" ", barWidth)
			}
			return u.brush.bar(r.work)
		}, nil},
	}
}

// fit returns the columns that there is room for, leaving out the least important ones.
func fit(all []column, width int) []column {
	need := func(keep int) int {
		sum := 0
		for _, c := range all {
			if c.keep < keep {
				sum += c.width + 1
			}
		}
		return sum
	}
	keep := 10
	for keep > 1 && need(keep)+minDetail > width {
		keep--
	}
	var fitting []column
	for _, c := range all {
		if c.keep < keep {
			fitting = append(fitting, c)
		}
	}
	return fitting
}

func (u *ui) drawState(r *row, c *column) string {
	ink, mark, word := r.look(&u.brush)
	return ink.Paint(pad(mark+" "+word, c.width))
}

func (u *ui) drawCells(r *row, _ *column) string {
	j := &r.judged
	return u.cells[j.Git] + u.cells[j.Lock] + u.cells[j.System] + u.cells[j.Agent]
}

func (u *ui) drawRevision(r *row, c *column) string {
	text := pad(health.Short(r.judged.Revision), c.width)
	if r.judged.Drift.Has(health.Outdated) {
		return u.palette.Warn.Paint(text)
	}
	return text
}

func (u *ui) drawBehind(r *row, c *column) string {
	n := r.judged.Behind
	if n == 0 {
		return strings.Repeat(" ", c.width)
	}
	return u.palette.Warn.Paint(right("↓"+digits(n), c.width))
}

// drawTime shows a stopwatch while the host is being changed, otherwise how long ago it answered.
func (u *ui) drawTime(r *row, c *column) string {
	d := r.clock(u.now, u.o.Settings.Calm)
	switch {
	case r.doing != "":
		return right(clock(d), c.width)
	case !r.showsRun():
		return u.palette.Faint.Paint(right(ago(d), c.width))
	case r.work.Began.IsZero():
		return strings.Repeat(" ", c.width)
	}
	return right(clock(d), c.width)
}

// ago formats how long ago something happened; it returns "" for a negative duration.
func ago(d time.Duration) string {
	switch {
	case d < 0:
		return ""
	case d < time.Minute:
		return "now"
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
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
		return used(h.Memory)
	}
	return -1
}

func used(a *health.Amount) float64 {
	if a == nil || a.Total == 0 {
		return -1
	}
	return 100 * float64(a.Total-min(a.Free, a.Total)) / float64(a.Total)
}

func (u *ui) percent(share float64, width int) string {
	switch {
	case share < 0:
		return strings.Repeat(" ", width)
	case share >= 90:
		return u.palette.Bad.Paint(right(fmt.Sprintf("%.0f%%", share), width))
	}
	return right(fmt.Sprintf("%.0f%%", share), width)
}

// digits formats a number; it returns "" for 0.
func digits(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}
