package tui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/markus-barta/nixfleet/fleet/health"
)

const (
	leastWidth  = 40
	leastHeight = 8
	chrome      = 4 // lines: header, heads, tabs, footer
	logFrom     = 16
)

// logHeight returns how many lines the log below has; 0 if the window is too low for one.
func (u *ui) logHeight() int {
	// by all rows: filtering does not move it
	rest := u.height - chrome - max(len(u.list.items), len(u.rows))
	switch {
	case u.open != "":
		return u.height - chrome - u.factsHeight()
	case u.focus == onLog:
		return max((u.height-chrome)*2/3, rest)
	case u.height < logFrom:
		return 0
	}
	return max((u.height-chrome)/3, rest)
}

func (u *ui) tableHeight() int {
	height := u.height - chrome - u.logHeight()
	if u.logHeight() == 0 {
		height++ // there are no tabs
	}
	return height
}

func (u *ui) View() tea.View {
	v := tea.NewView(u.screen())
	v.AltScreen = true
	v.ReportFocus = true
	if u.o.Settings.Mouse {
		v.MouseMode = tea.MouseModeCellMotion
	}
	v.WindowTitle = u.counted().title
	if runs := u.living(); len(runs) > 0 {
		state := tea.ProgressBarDefault
		if u.tally[health.StateFailed] > 0 {
			state = tea.ProgressBarError
		}
		v.ProgressBar = tea.NewProgressBar(state, u.done)
	}
	return v
}

// screen returns the whole screen. Every line except the last ends in a newline.
func (u *ui) screen() string {
	if u.width == 0 {
		return ""
	}
	if u.width < leastWidth || u.height < leastHeight {
		return tooSmall(u.width, u.height)
	}
	var out strings.Builder
	out.Grow(u.width * u.height * 2)
	u.header(&out)
	switch {
	case u.help:
		u.drawHelp(&out, u.height-2)
	case u.open != "":
		u.drawHost(&out)
	default:
		u.drawTable(&out)
	}
	u.footer(&out)
	text := out.String()
	switch {
	case u.dialog != nil:
		return overlay(text, u.dialog.box(u), u.width, u.height)
	case u.commands != nil:
		return overlay(text, u.commands.box(u), u.width, u.height)
	}
	return text
}

// tooSmall returns the message for a window that is too small.
func tooSmall(width, height int) string {
	text := fmt.Sprintf("the terminal is %dx%d: fleetctl wants %dx%d at least", width, height, leastWidth, leastHeight)
	lines := strings.Split(ansi.Wrap(text, width, ""), "\n")
	return strings.Join(lines[:min(len(lines), height)], "\n")
}

func (u *ui) drawTable(out *strings.Builder) {
	columns := u.fitting()
	u.heads(out, columns)
	height := u.tableHeight()
	l := &u.list
	end := min(l.top+height, len(l.items))
	for i := l.top; i < end; i++ {
		if it := l.items[i]; it.row == nil {
			u.write(out, u.palette.Strong.Paint(it.heading))
		} else {
			out.WriteString(u.row(it.row, columns, i == l.at))
		}
	}
	if len(l.items) == 0 {
		end = l.top + u.empty(out, height)
	}
	blank(out, height-(end-l.top))
	if n := u.logHeight(); n > 0 {
		u.tabs(out)
		u.pane().draw(out, &u.brush, u.width, n, u.manner)
	}
}

// empty draws why no host is shown and what to do. It returns the number of lines.
func (u *ui) empty(out *strings.Builder, height int) int {
	lines := []string{"", fmt.Sprintf("  no host matches %q", u.list.filter), "  esc shows all of them again"}
	if u.list.err != nil {
		lines[1] = "  " + firstLine(u.list.err)
	}
	lines = lines[:min(len(lines), height)]
	for _, l := range lines {
		u.write(out, u.palette.Faint.Paint(l))
	}
	return len(lines)
}

func (u *ui) nameWidth() int { return min(u.names, max(u.width/4, 8)) }

// fitting returns the columns that there is room for.
func (u *ui) fitting() []column {
	if u.fitsFor != u.layout {
		u.fits, u.fitsFor = fit(u.columns, u.width-u.nameWidth()-4), u.layout
	}
	return u.fits
}

func (u *ui) heads(out *strings.Builder, columns []column) {
	var line strings.Builder
	line.Grow(u.width)
	line.WriteString("   " + pad("HOST", u.nameWidth()))
	for _, c := range columns {
		head := pad(c.head, c.width)
		switch c.name {
		case "generation", "cpu", "memory", "time", "wave", "behind":
			head = right(c.head, c.width)
		}
		if u.list.sort != unsorted && u.columns[u.list.sort].name == c.name {
			sign := "▾"
			if u.list.reverse {
				sign = "▴"
			}
			head = strings.TrimRight(head, " ") + sign
			head = pad(head, c.width)
		}
		line.WriteString(" " + head)
	}
	u.palette.Faint.put(out, cut(line.String(), u.width))
	out.WriteByte('\n')
}

// row returns a host's line, drawn only if it changed.
func (u *ui) row(r *row, columns []column, here bool) string {
	key := rowKey{version: r.version, layout: u.layout, here: here, clock: r.clock(u.now, u.o.Settings.Calm), ago: r.ago(u.now)}
	if key == r.key {
		return r.drawn
	}
	var line strings.Builder
	line.Grow(3 * u.width)
	switch {
	case here && r.marked:
		line.WriteString(u.palette.Strong.Paint("▌● "))
	case here:
		line.WriteString(u.palette.Strong.Paint("▌  "))
	case r.marked:
		line.WriteString(u.palette.Strong.Paint(" ● "))
	default:
		line.WriteString("   ")
	}
	line.WriteString(u.inks[r.Name].Paint(pad(r.Name, u.nameWidth())))
	for i := range columns {
		line.WriteByte(' ')
		line.WriteString(columns[i].draw(u, r, &columns[i]))
	}
	line.WriteByte(' ')
	line.WriteString(u.detail(r))
	text := ansi.Truncate(line.String(), u.width, "…")
	if here {
		text = u.palette.Here.Over(text + strings.Repeat(" ", max(u.width-ansi.StringWidth(text), 0)))
	}
	r.key, r.drawn = key, text+"\n"
	return r.drawn
}

// detail returns the end of a row: the reason for the host's state, or what happens there.
func (u *ui) detail(r *row) string {
	p, j := &u.palette, &r.judged
	ink, _ := p.State(j.State)
	switch h := r.status.Health; {
	case r.doing != "":
		return p.Faint.Paint(r.log.tail.last())
	case r.busy() && !r.lost.IsZero():
		return p.Warn.Paint("lost at " + r.lost.Format("15:04:05"))
	case r.showsRun():
		return u.brush.detail(r.work)
	case j.State == health.StateUnknownKey:
		return p.Warn.Paint("unknown key: " + cmp.Or(u.keys.keyOf("trust"), ":trust") + " shows it")
	case j.LastRun != nil:
		return ink.Paint(j.LastRun.Sentence(u.now))
	case h != nil && h.Job != nil && r.status.Err == nil:
		return p.Busy.Paint("job of " + h.Job.Who + ": " + h.Job.Step)
	case r.status.Err != nil:
		return p.Faint.Paint(j.Reason)
	}
	return ink.Paint(j.Reason)
}

// write writes a line, cut to the width of the window.
func (u *ui) write(out *strings.Builder, line string) {
	out.WriteString(ansi.Truncate(line, u.width, "…"))
	out.WriteByte('\n')
}

// tabs draws the line above the log: whose log it is, and which others there are.
func (u *ui) tabs(out *strings.Builder) {
	var line strings.Builder
	line.Grow(4 * u.width)
	tab := func(name string, ink Ink, shown bool) {
		if shown {
			u.palette.Strong.put(&line, "─[ ")
			ink.put(&line, name)
			u.palette.Strong.put(&line, " ]")
		} else {
			line.WriteString(u.palette.Faint.Paint("── " + name + " "))
		}
	}
	shown := u.pane()
	if u.open != "" {
		for p := range hostParts {
			tab(p.String(), Ink{}, u.part == p)
		}
	} else {
		tab("fleet", Ink{}, shown == &u.log)
		for _, name := range u.pins {
			tab(name, u.inks[name], shown == &u.byName[name].log)
		}
		if r := u.here(); r != nil && shown == &r.log && !slices.Contains(u.pins, r.Name) {
			tab(r.Name, u.inks[r.Name], true)
		}
	}
	var how []string
	switch {
	case shown.page != nil:
		from, _ := shown.visible(u.logHeight(), u.manner)
		how = append(how, fmt.Sprintf("from the record, line %d of %d", from+1, shown.page.total))
	case shown.away && (u.open == "" || u.part == logPart):
		how = append(how, "scrolled")
	}
	if shown.looks() {
		how = append(how, "looking through the record")
	}
	if u.manner.wrap {
		how = append(how, "wrapped")
	}
	if u.manner.search != "" {
		how = append(how, "/"+u.manner.search)
	}
	if len(how) > 0 {
		line.WriteString(u.palette.Faint.Paint("── " + strings.Join(how, ", ") + " "))
	}
	text := ansi.Truncate(line.String(), u.width, "…")
	out.WriteString(text)
	u.palette.Faint.put(out, strings.Repeat("─", u.width-ansi.StringWidth(text)))
	out.WriteByte('\n')
}
