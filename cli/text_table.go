package cli

import (
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"

	"github.com/markus-barta/nixfleet/tui"
)

// table lines text up in columns. On a terminal it is cut to fit, the widest column first; the first column, which says
// what a row is about, never is.
type table struct {
	width int // 0: as wide as it likes
	ink   tui.Palette
	rows  [][]string
	inks  []tui.Ink // of each row's first cell
}

func newTable(env *Env, heads ...string) *table {
	t := &table{ink: env.palette(env.OutTTY)}
	if out, is := env.Out.(interface{ Fd() uintptr }); is && env.OutTTY {
		t.width, _, _ = term.GetSize(int(out.Fd())) // 0 where the terminal does not say
	}
	t.row(t.ink.Faint, heads...)
	return t
}

func (t *table) row(ink tui.Ink, cells ...string) {
	t.rows = append(t.rows, cells)
	t.inks = append(t.inks, ink)
}

const gap = "  "

// fit leaves columns out, one after the other, as long as the table is wider than the terminal.
func (t *table) fit(spare ...string) {
	for _, head := range spare {
		if _, sum := t.measure(); t.width == 0 || sum <= t.width {
			return
		}
		at := slices.Index(t.rows[0], head)
		for i := range t.rows {
			t.rows[i] = slices.Delete(t.rows[i], at, at+1)
		}
	}
}

// measure tells how wide each column would like to be, and all of them together.
func (t *table) measure() (widths []int, sum int) {
	widths = make([]int, len(t.rows[0]))
	sum = len(gap) * (len(widths) - 1)
	for i := range widths {
		for _, row := range t.rows {
			widths[i] = max(widths[i], ansi.StringWidth(row[i]))
		}
		sum += widths[i]
	}
	return widths, sum
}

// widths are how wide each column may be.
func (t *table) widths() []int {
	widths, sum := t.measure()
	const least = 4
	for t.width > 0 && sum > t.width {
		widest := 1
		for i := 2; i < len(widths); i++ {
			if widths[i] > widths[widest] {
				widest = i
			}
		}
		if widths[widest] <= least {
			break
		}
		widths[widest]--
		sum--
	}
	return widths
}

func (t *table) String() string {
	var b strings.Builder
	widths := t.widths()
	for i, row := range t.rows {
		var line strings.Builder
		for j, cell := range row {
			cell = ansi.Truncate(cell, widths[j], "…")
			pad := strings.Repeat(" ", widths[j]-ansi.StringWidth(cell))
			if i == 0 {
				cell = t.ink.Faint.Paint(cell)
			} else if j == 0 {
				cell = t.inks[i].Paint(cell)
			}
			line.WriteString(cell + pad + gap)
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}
