package tui

import (
	"strings"

	"github.com/markus-barta/nixfleet/fleet/health"
)

// helpLines are the keys, made from the key map: what works where the help was asked for.
func (u *ui) helpLines() []string {
	var lines []string
	section := func(title string, where scope, also func(a *action) bool) {
		lines = append(lines, u.palette.Strong.Paint(title))
		for i := range u.keys.actions {
			a := &u.keys.actions[i]
			if a.where&where == 0 || !also(a) || strings.HasPrefix(a.name, "sort-") && a.name != "sort-1" {
				continue
			}
			keys, about := strings.Join(a.keys, " "), a.about
			if a.name == "sort-1" {
				keys, about = "1 … 9", "sort by that column, again in reverse"
			}
			line := "  " + pad(keys, 14) + pad(a.name, 16) + about
			if a.changes && u.o.ReadOnly != "" {
				line = u.palette.Faint.Paint(line + " (off)")
			}
			lines = append(lines, line)
		}
		lines = append(lines, "")
	}
	hosts := "on hosts: the marked ones, else the one under the cursor"
	if u.o.ReadOnly != "" {
		hosts = "on hosts; some are off, as " + u.o.ReadOnly
	}
	section(hosts, anywhere, (*action).forHosts)
	section("in the table", inTable, func(a *action) bool { return a.where == inTable && !a.changes })
	section("in a log", inLog, func(a *action) bool { return a.where == inLog })
	section("everywhere", anywhere, func(a *action) bool { return a.where&anywhere == anywhere && !a.forHosts() })
	lines = append(lines, u.palette.Strong.Paint("GLSA")+": Git, Lock, System and Agent of a host",
		"  "+u.cells[health.CellGood]+" good  "+u.cells[health.CellBehind]+" behind  "+u.cells[health.CellBroken]+" broken  "+
			u.cells[health.CellBusy]+" busy  "+u.cells[health.CellUnknown]+" unknown  "+u.cells[health.CellNone]+" none")
	return lines
}

func (u *ui) drawHelp(out *strings.Builder, height int) {
	lines := u.helpLines()
	top := min(u.helpTop, max(len(lines)-height, 0))
	lines = lines[top:min(top+height, len(lines))]
	for _, l := range lines {
		u.write(out, l)
	}
	blank(out, height-len(lines))
}
