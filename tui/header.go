package tui

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/markus-barta/nixfleet/fleet/health"
)

// header draws the first line: the fleet, how many hosts are in each state, the target, and the
// current run. If the line is too narrow for the states' words, their marks stand for them.
func (u *ui) header(out *strings.Builder) {
	left := u.headerWith(u.counted().header)
	if ansi.StringWidth(left) > u.width {
		left = u.headerWith(u.counted().marks)
	}
	at := u.where(max(u.width-ansi.StringWidth(left)-2, 0))
	gap := strings.Repeat(" ", max(u.width-ansi.StringWidth(left)-ansi.StringWidth(at), 2))
	u.write(out, left+gap+at)
}

func (u *ui) headerWith(counts string) string {
	p := &u.palette
	parts := []string{p.Strong.Paint(u.o.Inventory.Name), counts}
	if runs := u.living(); len(runs) > 0 {
		s := runs[len(runs)-1]
		since := u.now.Sub(s.Began)
		if u.o.Settings.Calm {
			since = since.Truncate(time.Minute)
		}
		text := fmt.Sprintf("▸ %s %d%% %s", s.Start.Goal, u.done, clock(since))
		if len(runs) > 1 {
			text = fmt.Sprintf("▸ %s %d%%", plural(len(runs), "run"), u.done)
		}
		parts = append(parts, p.Busy.Paint(text))
	}
	if u.o.ReadOnly != "" {
		parts = append(parts, p.Warn.Paint("read-only"))
	}
	return strings.Join(parts, "  ")
}

// where returns the target, cut to the room there is.
func (u *ui) where(room int) string {
	if u.target.Revision == "" {
		return ""
	}
	text := u.o.Inventory.Branch + " " + health.Short(u.target.Revision)
	if age := u.age(u.target.Time); age != "" {
		text += " " + age
	}
	if u.target.Subject != "" {
		text += " " + u.target.Subject
	}
	if room < len(health.Short(u.target.Revision)) {
		return ""
	}
	return u.palette.Faint.Paint(cut(text, room))
}

// tallied is the counts in words and what they were made from: they change far more rarely than
// frames are drawn.
type tallied struct {
	tally                [health.NumStates]int
	marked               int
	layout               uint64
	header, marks, title string
}

func (u *ui) counted() *tallied {
	if c := &u.words; c.header == "" || c.tally != u.tally || c.marked != u.marked || c.layout != u.layout {
		marked := ""
		if u.marked > 0 {
			marked = u.palette.Strong.Paint(fmt.Sprintf("  ● %d marked", u.marked))
		}
		hosts := plural(len(u.rows), "host")
		*c = tallied{
			tally: u.tally, marked: u.marked, layout: u.layout,
			header: hosts + marked + u.counts("  ", func(n int, s health.State) string {
				ink, _ := u.palette.State(s)
				return ink.Paint(strconv.Itoa(n) + " " + s.String())
			}),
			marks: hosts + marked + " " + u.counts(" ", func(n int, s health.State) string {
				ink, mark := u.palette.State(s)
				return ink.Paint(strconv.Itoa(n) + mark)
			}),
			title: "fleetctl " + u.o.Inventory.Name + ": " + hosts + u.counts("  ", func(n int, s health.State) string {
				return strconv.Itoa(n) + " " + s.String()
			}),
		}
	}
	return &u.words
}

// counts returns how many hosts are in each state, each formatted and after a gap. They add up to
// the number of hosts.
func (u *ui) counts(gap string, format func(n int, s health.State) string) string {
	var text strings.Builder
	for state, n := range u.tally {
		if n > 0 {
			text.WriteString(gap + format(n, health.State(state)))
		}
	}
	return text.String()
}

// footer draws the last line: what the operator types, otherwise a message, otherwise the keys.
func (u *ui) footer(out *strings.Builder) {
	var line string
	switch {
	case u.prompt != nil:
		line = u.prompt.draw(u)
	case u.flash.text != "" && u.flash.bad:
		line = u.palette.Bad.Paint("✗ " + u.flash.text)
	case u.flash.text != "":
		line = u.palette.Good.Paint(u.flash.text)
	case u.list.filter != "" && u.scope() == inTable:
		line = u.palette.Warn.Paint("/"+u.list.filter) + u.palette.Faint.Paint("  "+plural(u.shown(), "host")+", esc shows all")
	default:
		line = u.hints()
	}
	out.WriteString(ansi.Truncate(line, u.width, "…"))
}

func (u *ui) shown() int {
	n := 0
	for _, it := range u.list.items {
		if it.row != nil {
			n++
		}
	}
	return n
}

// hints returns the most useful keys of what has the focus.
func (u *ui) hints() string {
	names := []string{"open", "mark", "filter", "deploy", "log", "refresh", "commands", "help", "quit"}
	switch {
	case u.help:
		names = []string{"down", "up", "back"}
	case u.open != "":
		names = []string{"back", "tab", "plan", "follow", "wrap", "fold", "search", "next-error", "copy", "help"}
	case u.focus == onLog:
		names = []string{"back", "follow", "wrap", "fold", "search", "next-match", "next-error", "copy", "help"}
	case len(u.living()) > 0:
		names = []string{"open", "log", "cancel", "mark", "filter", "commands", "help", "quit"}
	case u.marked > 0:
		names = []string{"deploy", "test", "build", "exec", "mark", "mark-all", "help", "quit"}
	}
	var line strings.Builder
	line.Grow(4 * u.width)
	room := u.width
	for _, name := range names {
		key := u.keys.keyOf(name)
		if key == "" || u.o.ReadOnly != "" && u.keys.named(name).changes {
			continue
		}
		if room -= len(key) + len(name) + 3; room < -2 {
			continue
		}
		u.palette.Strong.put(&line, key)
		line.WriteByte(' ')
		u.palette.Faint.put(&line, name)
		line.WriteString("  ")
	}
	return strings.TrimRight(line.String(), " ")
}
