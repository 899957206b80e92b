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
	keep  int // the lower, the longer it stays as the window gets narrower
	draw  func(u *ui, r *row, c *column) string
	order func(u *ui, a, b *row) int
}

// leastDetail is what the last column, which has the rest, wants to be worth anything.
const leastDetail = 18

// columnTable lists all columns, in their usual order. Mark and name come before them and always stay.
func columnTable() []column {
	return []column{
		{"state", "STATE", 2 + wordWidth, 0, (*ui).drawState, func(_ *ui, a, b *row) int { return cmp.Compare(a.at, b.at) }},
		{"kind", "KIND", 6, 8, func(_ *ui, r *row, c *column) string { return pad(string(r.Kind), c.width) },
			func(_ *ui, a, b *row) int { return cmp.Compare(a.Kind, b.Kind) }},
		{"cells", "GLSA", 4, 2, (*ui).drawCells, func(u *ui, a, b *row) int { return cmp.Compare(b.system(&u.target), a.system(&u.target)) }},
		{"revision", "REVISION", 8, 3, (*ui).drawRevision, func(_ *ui, a, b *row) int { x, _ := a.revision(); y, _ := b.revision(); return cmp.Compare(x, y) }},
		{"behind", "BEHIND", 6, 5, (*ui).drawBehind, func(_ *ui, a, b *row) int { return cmp.Compare(commitsBehind(b), commitsBehind(a)) }},
		{"generation", "GEN", 5, 6, func(_ *ui, r *row, c *column) string { _, n := r.revision(); return right(digits(n), c.width) },
			func(_ *ui, a, b *row) int { _, x := a.revision(); _, y := b.revision(); return cmp.Compare(y, x) }},
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

// fit leaves out the columns that there is no room for, those first that matter least.
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
	for keep > 1 && need(keep)+leastDetail > width {
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
	ink, mark, word := r.look(&u.brush, &u.target)
	return ink.Paint(pad(mark+" "+word, c.width))
}

func (u *ui) drawCells(r *row, _ *column) string {
	return u.cells[r.git(&u.target)] + u.cells[r.lock(u.targetLock)] + u.cells[r.system(&u.target)] + u.cells[r.agent()]
}

func (u *ui) drawRevision(r *row, c *column) string {
	rev, _ := r.revision()
	text := pad(Short(rev), c.width)
	if rev != "" && u.target.Revision != "" && rev != u.target.Revision {
		return u.palette.Warn.Paint(text)
	}
	return text
}

func (u *ui) drawBehind(r *row, c *column) string {
	n := commitsBehind(r)
	if n == 0 {
		return strings.Repeat(" ", c.width)
	}
	return u.palette.Warn.Paint(right("↓"+digits(n), c.width))
}

func commitsBehind(r *row) int {
	if h := r.status.Health; h != nil && h.Checkout != nil {
		return h.Checkout.Behind
	}
	return 0
}

// drawTime is a stopwatch while something is done with the host, and else how long ago it answered.
func (u *ui) drawTime(r *row, c *column) string {
	d := r.clock(u.now, u.o.Settings.Calm)
	switch {
	case r.doing != "":
		return right(clock(d), c.width)
	case !r.tellsOfRun():
		return u.palette.Faint.Paint(right(ago(d), c.width))
	case r.work.Began.IsZero():
		return strings.Repeat(" ", c.width)
	}
	return right(clock(d), c.width)
}

// ago is a time in the past as people say it; "" for one that never was.
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

// cpu is a share of 100, and -1 where it is not known. So is memory.
func cpu(r *row) float64 {
	if h := r.status.Health; h != nil && h.CPU != nil {
		return *h.CPU
	}
	return -1
}

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

// digits is a number that is left out where it is 0.
func digits(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}
