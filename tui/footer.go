package tui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// drawFooter draws the last line: the prompt, a notice, the filter, or the keys.
func (u *ui) drawFooter(out *strings.Builder) {
	var line string
	switch {
	case u.prompt != nil:
		line = u.prompt.draw(&u.palette)
	case u.notice.text != "" && u.notice.bad:
		line = u.palette.Bad.Paint("✗ " + u.notice.text)
	case u.notice.text != "":
		line = u.palette.Good.Paint(u.notice.text)
	case u.list.filter != "" && u.scope() == inTable:
		line = u.palette.Warn.Paint("/"+u.list.filter) + u.palette.Faint.Paint("  "+plural(u.list.shown(), "host")+", esc shows all")
	default:
		line = u.keyHints()
	}
	out.WriteString(ansi.Truncate(line, u.width, "…"))
}

// keyHints returns the most useful keys for what is shown.
func (u *ui) keyHints() string {
	names := []string{"open", "mark", "filter", "deploy", "log", "refresh", "commands", "help", "quit"}
	switch {
	case u.help.open:
		names = []string{"down", "up", "back"}
	case u.page.row != nil:
		names = []string{"back", "tab", "plan", "follow", "wrap", "fold", "search", "next-error", "copy", "help"}
	case u.focus == onLog:
		names = []string{"back", "follow", "wrap", "fold", "search", "next-match", "next-error", "copy", "help"}
	case len(u.runs.active()) > 0:
		names = []string{"open", "log", "cancel", "mark", "filter", "commands", "help", "quit"}
	case u.hosts.markedCount > 0:
		names = []string{"deploy", "test", "build", "exec", "mark", "mark-all", "help", "quit"}
	}
	var line strings.Builder
	line.Grow(4 * u.width)
	room := u.width
	for _, name := range names {
		key := u.keys.keyFor(name)
		if key == "" || u.options.ReadOnly != "" && u.keys.named(name).changes {
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
