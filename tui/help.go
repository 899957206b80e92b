package tui

import (
	"strings"

	"github.com/markus-barta/nixfleet/fleet/health"
)

// helpPage is the help, which covers the table while it is open.
type helpPage struct {
	open bool
	top  int // the first line shown
}

// scroll scrolls by a number of lines, at most to last.
func (h *helpPage) scroll(lines, last int) { h.top = min(max(h.top+lines, 0), max(last, 0)) }

// draw draws the lines that fit into height.
func (h *helpPage) draw(lines []string, height int, write func(line string)) (drawn int) {
	top := min(h.top, max(len(lines)-height, 0))
	lines = lines[top:min(top+height, len(lines))]
	for _, l := range lines {
		write(l)
	}
	return len(lines)
}

// helpLines returns the help, which is made from the key map: the keys that work in the table and
// in a log.
func (u *ui) helpLines() []string {
	h := helpText{painter: &u.painter, keys: &u.keys, readOnly: u.options.ReadOnly != ""}
	hosts := "on hosts: the marked ones, or the one under the cursor"
	if h.readOnly {
		hosts = "on hosts; some are off: " + u.options.ReadOnly
	}
	h.section(hosts, (*action).forHosts)
	h.section("in the table", func(a *action) bool { return a.scope == inTable && !a.changes })
	h.section("in a log", func(a *action) bool { return a.scope&anywhere == inLog })
	h.section("in the list of runs", func(a *action) bool { return a.scope == inRuns })
	h.section("everywhere", func(a *action) bool { return a.scope&anywhere == anywhere && !a.forHosts() })
	h.legend()
	return h.lines
}

// helpText builds the lines of the help.
type helpText struct {
	*painter
	keys     *keymap
	readOnly bool
	lines    []string
}

// section adds the actions that belong to it, under a title.
func (h *helpText) section(title string, belongs func(*action) bool) {
	h.lines = append(h.lines, h.palette.Strong.Paint(title))
	for i := range h.keys.actions {
		a := &h.keys.actions[i]
		if !belongs(a) || strings.HasPrefix(a.name, "sort-") && a.name != "sort-1" {
			continue
		}
		keys, about := strings.Join(a.keys, " "), a.about
		if a.name == "sort-1" {
			keys, about = "1 … 9", "sort by that column, again to reverse"
		}
		line := "  " + pad(keys, 14) + pad(a.name, 16) + about
		if a.changes && h.readOnly {
			line = h.palette.Faint.Paint(line + " (off)")
		}
		h.lines = append(h.lines, line)
	}
	h.lines = append(h.lines, "")
}

// legend adds what the glyphs of a row mean.
func (h *helpText) legend() {
	g := &h.glyphs
	h.lines = append(h.lines, h.palette.Strong.Paint("GLSA")+": Git, Lock, System and Agent of a host",
		"  "+g[health.CellGood]+" good  "+g[health.CellBehind]+" behind  "+g[health.CellBroken]+" broken  "+
			g[health.CellBusy]+" busy  "+g[health.CellUnknown]+" unknown  "+g[health.CellNone]+" none")
}
