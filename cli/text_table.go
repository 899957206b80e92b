package cli

import (
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"

	"github.com/markus-barta/nixfleet/tui"
)

// textTable aligns text in columns. On a terminal, rows are truncated to fit, the widest column
// first. The first column, which names what a row is about, is never truncated.
type textTable struct {
	width   int // of the terminal; 0 means unlimited
	palette tui.Palette
	heads   bool // the first row has the heads of the columns
	rows    [][]string
	inks    []tui.Ink // of each row's first cell
}

// newTextTable returns a table with these heads, or without any if there are none.
func newTextTable(env *Env, heads ...string) *textTable {
	t := &textTable{palette: env.palette(env.OutTTY), width: env.width(), heads: len(heads) > 0}
	if t.heads {
		t.row(t.palette.Faint, heads...)
	}
	return t
}

// width returns the width of the terminal that standard output is, or 0.
func (env *Env) width() int { return terminalWidth(env.Out, env.OutTTY) }

// errWidth returns the width of the terminal that standard error is, or 0.
func (env *Env) errWidth() int { return terminalWidth(env.Err, env.ErrTTY) }

func terminalWidth(stream any, tty bool) int {
	file, ok := stream.(interface{ Fd() uintptr })
	if !ok || !tty {
		return 0
	}
	width, _, _ := term.GetSize(int(file.Fd())) // 0 on error
	return width
}

func (t *textTable) row(ink tui.Ink, cells ...string) {
	t.rows = append(t.rows, cells)
	t.inks = append(t.inks, ink)
}

const columnGap = "  "

// fit drops the named columns, one after another, until the table fits the terminal.
func (t *textTable) fit(optional ...string) {
	for _, head := range optional {
		if _, total := t.naturalWidths(); t.width == 0 || total <= t.width {
			return
		}
		column := slices.Index(t.rows[0], head)
		for i := range t.rows {
			t.rows[i] = slices.Delete(t.rows[i], column, column+1)
		}
	}
}

// naturalWidths returns the width that each column needs, and the total with the gaps.
func (t *textTable) naturalWidths() (widths []int, total int) {
	if len(t.rows) == 0 {
		return nil, 0
	}
	widths = make([]int, len(t.rows[0]))
	total = len(columnGap) * (len(widths) - 1)
	for i := range widths {
		for _, row := range t.rows {
			widths[i] = max(widths[i], ansi.StringWidth(row[i]))
		}
		total += widths[i]
	}
	return widths, total
}

// widths returns the width of each column on the terminal.
func (t *textTable) widths() []int {
	widths, total := t.naturalWidths()
	const minWidth = 4
	for t.width > 0 && total > t.width {
		widest := 1
		for i := 2; i < len(widths); i++ {
			if widths[i] > widths[widest] {
				widest = i
			}
		}
		if widths[widest] <= minWidth {
			break
		}
		widths[widest]--
		total--
	}
	return widths
}

func (t *textTable) String() string {
	var b strings.Builder
	widths := t.widths()
	for i, row := range t.rows {
		var line strings.Builder
		for j, cell := range row {
			cell = ansi.Truncate(cell, widths[j], "…")
			pad := strings.Repeat(" ", widths[j]-ansi.StringWidth(cell))
			if i == 0 && t.heads {
				cell = t.palette.Faint.Paint(cell)
			} else if j == 0 {
				cell = t.inks[i].Paint(cell)
			}
			line.WriteString(cell + pad + columnGap)
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}
