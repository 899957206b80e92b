package tui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/markus-barta/nixfleet/fleet/health"
)

const (
	minWidth     = 40
	minHeight    = 8
	minLogWindow = 16 // the height of the lowest window that has a log below the table
)

// frameLines returns how many lines there are besides the list or the facts, and the log: the
// header, the timeline, the column heads, the tabs, the footer.
func (u *ui) frameLines() int {
	if u.hasTimeline() {
		return 5
	}
	return 4
}

// logHeight returns how many lines the log has; 0 if the window is too low for one.
func (u *ui) logHeight() int {
	// The number of all rows counts: filtering does not move the log.
	room, rows := u.height-u.frameLines(), max(len(u.list.items), len(u.hosts.rows))
	if u.hasPreview() {
		rows = max(rows, previewHeight)
	}
	rest := room - rows
	switch {
	case u.page.row != nil:
		return room - u.factsHeight()
	case u.focus == onLog:
		return max(room*2/3, rest)
	case u.height < minLogWindow:
		return 0
	}
	return max(room/3, rest)
}

func (u *ui) tableHeight() int {
	height := u.height - u.frameLines() - u.logHeight()
	if u.logHeight() == 0 {
		height++ // no tabs
	}
	return height
}

// factsHeight returns how many lines a host's facts have. The log keeps at least half of the
// window.
func (u *ui) factsHeight() int {
	return min(len(u.page.lines(&u.painter, u.width, u.now)), (u.height-u.frameLines())/2)
}

func (u *ui) View() tea.View {
	v := tea.NewView(u.screen())
	v.AltScreen = true
	v.ReportFocus = true
	if u.options.Settings.Mouse {
		v.MouseMode = tea.MouseModeCellMotion
	}
	v.WindowTitle = u.countHosts().title
	if u.runs.activeCount() > 0 {
		state := tea.ProgressBarDefault
		if u.hosts.tally[health.StateFailed] > 0 {
			state = tea.ProgressBarError
		}
		v.ProgressBar = tea.NewProgressBar(state, u.runs.percent)
	}
	return v
}

// screen draws everything. All lines except the last end in a newline.
func (u *ui) screen() string {
	if u.width == 0 {
		return ""
	}
	if u.width < minWidth || u.height < minHeight {
		return tooSmall(u.width, u.height)
	}
	var out strings.Builder
	out.Grow(u.width * u.height * 2)
	u.drawHeader(&out)
	if u.hasTimeline() {
		u.drawTimeline(&out)
	}
	switch {
	case u.help.open:
		height := u.height - 2
		blankLines(&out, height-u.help.draw(u.helpLines(), height, func(line string) { u.write(&out, line) }))
	case u.runsPage.open:
		u.drawRuns(&out)
	case u.page.row != nil:
		u.drawPage(&out)
	default:
		u.drawTable(&out)
	}
	u.drawFooter(&out)
	switch {
	case u.dialog != nil:
		return overlay(out.String(), u.dialog.box(&u.palette, u.width, u.height), u.width, u.height)
	case u.menu != nil:
		return overlay(out.String(), u.menu.box(&u.palette, u.width, u.height), u.width, u.height)
	case u.commands != nil:
		return overlay(out.String(), u.commands.box(&u.palette, u.width, u.height), u.width, u.height)
	}
	return out.String()
}

func tooSmall(width, height int) string {
	text := fmt.Sprintf("the terminal is %dx%d: fleetctl needs at least %dx%d", width, height, minWidth, minHeight)
	lines := strings.Split(ansi.Wrap(text, width, ""), "\n")
	return strings.Join(lines[:min(len(lines), height)], "\n")
}

// write appends a line, cut to the width of the window.
func (u *ui) write(out *strings.Builder, line string) {
	out.WriteString(ansi.Truncate(line, u.width, "…"))
	out.WriteByte('\n')
}

func (u *ui) drawTable(out *strings.Builder) {
	u.besidePreview(out, u.tableHeight()+1, u.drawList)
	if n := u.logHeight(); n > 0 {
		u.drawTabs(out)
		u.pane().draw(out, &u.painter, u.width, n, &u.logs.style)
	}
}

// drawList draws the heads of the columns and the hosts.
func (u *ui) drawList(out *strings.Builder) {
	columns := u.fitting()
	u.drawHeads(out, columns)
	height := u.tableHeight()
	l := &u.list
	end := min(l.top+height, len(l.items))
	for i := l.top; i < end; i++ {
		if it := l.items[i]; it.row == nil {
			u.listLine(out, u.palette.Strong, it.heading)
		} else {
			out.WriteString(u.row(it.row, columns, i == l.at))
		}
	}
	if len(l.items) == 0 {
		end = l.top + u.drawNoMatch(out, height)
	}
	for range height - (end - l.top) {
		u.listLine(out, Ink{}, "")
	}
}

// drawNoMatch explains why no host is shown and what to do. It returns how many lines it has drawn.
func (u *ui) drawNoMatch(out *strings.Builder, height int) int {
	lines := []string{"", fmt.Sprintf("  no host matches %q", u.list.filter), "  esc shows all hosts again"}
	lines = lines[:min(len(lines), height)]
	for _, l := range lines {
		u.listLine(out, u.palette.Faint, l)
	}
	return len(lines)
}

// drawPage draws the page of a host: its row, its facts, and its log, plan or generations.
func (u *ui) drawPage(out *strings.Builder) {
	out.WriteString(u.row(u.page.row, u.fitting(), true))
	height := u.factsHeight()
	lines := u.page.lines(&u.painter, u.width, u.now)[:height]
	for _, l := range lines {
		u.write(out, l)
	}
	u.drawTabs(out)
	u.pane().draw(out, &u.painter, u.width, u.logHeight(), &u.logs.style)
}

// nameHead is the head of the column of names.
const nameHead = "HOST"

func (u *ui) nameWidth() int {
	return min(max(u.hosts.nameWidth, len(nameHead)), max(u.listWidth()/4, 8))
}

// fitting returns the columns that there is room for.
func (u *ui) fitting() []column {
	detail := minDetailWidth
	if u.hasPreview() {
		detail = wideDetailWidth
	}
	running := u.runs.activeCount() > 0
	columns, changed := u.columns.fit(fitKey{
		width: u.listWidth() - u.nameWidth() - 4, detail: detail, hidden: u.columns.hidden(&u.hosts, running, u.list.sort),
		agents: u.hosts.figures[agentState] > 0, spaced: u.width >= spacedWidth,
	})
	if changed {
		u.layout++
	}
	return columns
}

// spacedWidth is the width of the narrowest window in which a host's signs are apart.
const spacedWidth = 100

func (u *ui) drawHeads(out *strings.Builder, columns []column) {
	var line strings.Builder
	width := u.listWidth()
	line.Grow(width)
	line.WriteString("   " + pad(nameHead, u.nameWidth()))
	for _, c := range columns {
		head := pad(c.head, c.width)
		if c.number {
			head = padLeft(c.head, c.width)
		}
		gap := " "
		if u.list.sort != unsorted && u.columns.chosen[u.list.sort].name == c.name {
			arrow := "▾"
			if u.list.reverse {
				arrow = "▴"
			}
			switch trimmed := strings.TrimRight(head, " "); {
			case len(trimmed) < c.width:
				head = pad(trimmed+arrow, c.width)
			case strings.HasPrefix(head, " "):
				head = padLeft(arrow+c.head, c.width)
			default: // the head fills its column
				gap = arrow
			}
		}
		line.WriteString(gap + head)
	}
	u.listLine(out, u.palette.Faint, line.String()+u.position(width-ansi.StringWidth(line.String())))
}

// position returns which of the hosts shown the cursor is on, and whether there are more above and
// below, at the right of a line with that much room: "↑ 6/200 ↓". It returns "" if all are shown or
// there is no room.
func (u *ui) position(room int) string {
	l, height := &u.list, u.tableHeight()
	if len(l.items) == 0 || len(l.items) <= height && l.filter == "" {
		return ""
	}
	text := fmt.Sprintf("%d/%d", l.items[l.at].number, l.total)
	if l.top > 0 {
		text = "↑ " + text
	}
	if l.top+height < len(l.items) {
		text += " ↓"
	}
	gap := room - ansi.StringWidth(text)
	if gap < 1 {
		return ""
	}
	return strings.Repeat(" ", gap) + text
}

// listLine appends a line of the list other than a host's. It has the list's width if the preview
// is beside it.
func (u *ui) listLine(out *strings.Builder, ink Ink, text string) {
	width := u.listWidth()
	text = truncate(text, width)
	ink.put(out, text)
	if u.hasPreview() {
		writeBlanks(out, width-ansi.StringWidth(text))
	}
	out.WriteByte('\n')
}

func writeBlanks(out *strings.Builder, n int) {
	for range n {
		out.WriteByte(' ')
	}
}

// row draws a host's line, or returns the one that was last drawn if it has not changed.
func (u *ui) row(r *row, columns []column, cursor bool) string {
	focused := u.page.row != nil || u.focus == onTable
	key := rowKey{version: r.version, layout: u.layout, cursor: cursor, focused: cursor && focused, clock: r.clock(u.now, u.options.Settings.Calm), sinceRun: r.sinceRun(u.now)}
	if key == r.key {
		return r.drawn
	}
	var line strings.Builder
	line.Grow(3 * u.width)
	line.WriteString(u.palette.Strong.Paint(rowMark(cursor, focused, r.marked)))
	line.WriteString(u.inks[r.Name].Paint(pad(r.Name, u.nameWidth())))
	width, detail := u.listWidth(), u.rowDetail(r)
	shown := u.columnsOf(r, columns, detail)
	if len(shown) < len(columns) && r.status.Err != nil && !r.seen.IsZero() {
		when := "just now"
		if d := u.now.Sub(r.seen); d >= time.Minute {
			when = ago(d) + " ago"
		}
		detail += u.palette.Faint.Paint(", seen " + when)
	}
	for i := range shown {
		line.WriteByte(' ')
		line.WriteString(columns[i].draw(cell{row: r, painter: &u.painter, width: columns[i].width, now: u.now, calm: u.options.Settings.Calm}))
	}
	line.WriteByte(' ')
	line.WriteString(detail)
	text := ansi.Truncate(line.String(), width, "…")
	if cursor || u.hasPreview() {
		text += strings.Repeat(" ", max(width-ansi.StringWidth(text), 0))
	}
	if cursor {
		text = u.palette.Here.Over(text)
	}
	r.key, r.drawn = key, text+"\n"
	return r.drawn
}

// rowMark returns the start of a row: the cursor, which is narrower while keys go elsewhere, and
// the mark.
func rowMark(cursor, focused, marked bool) string {
	at, mark := " ", " "
	switch {
	case cursor && focused:
		at = "▌"
	case cursor:
		at = "▏"
	}
	if marked {
		mark = "●"
	}
	return at + mark + " "
}

// columnsOf returns the columns of a row. If the host cannot be asked, or if it needs attention and
// the reason would be cut, its figures give up their room and the reason follows the state.
func (u *ui) columnsOf(r *row, columns []column, detail string) []column {
	state := slices.IndexFunc(columns, func(c column) bool { return c.name == "state" })
	if state < 0 || detail == "" {
		return columns
	}
	switch r.judged.State {
	case health.StateUnknownKey, health.StateRefused, health.StateOffline, health.StateAway:
		if !r.showsRun() {
			return columns[:state+1]
		}
	case health.StateFailed, health.StateDegraded:
		room := u.listWidth() - 4 - u.nameWidth()
		for _, c := range columns {
			room -= c.width + 1
		}
		if ansi.StringWidth(detail) > room {
			return columns[:state+1]
		}
	}
	return columns
}

// rowDetail returns the end of a row: the reason for the host's state, or what is being done to it.
func (u *ui) rowDetail(r *row) string {
	p, j := &u.palette, &r.judged
	ink, _ := p.State(j.State)
	switch h := r.status.Health; {
	case r.activity != "":
		return p.Faint.Paint(r.log.buffer.lastText())
	case r.busy() && !r.lost.IsZero():
		return p.Warn.Paint("lost at " + r.lost.Format("15:04:05"))
	case r.showsRun():
		return u.detail(r.work)
	case j.State == health.StateUnknownKey:
		return p.Warn.Paint("unknown key: " + u.keys.keyOrCommand("trust") + " shows it")
	case j.LastRun != nil:
		return ink.Paint(j.LastRun.Sentence(u.now))
	case h != nil && h.Job != nil && r.status.Err == nil:
		return p.Busy.Paint("job of " + h.Job.Who + ": " + h.Job.Step)
	case r.status.Err != nil:
		return p.Faint.Paint(j.Reason)
	}
	return ink.Paint(j.Reason)
}
