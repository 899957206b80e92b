package tui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// drawFooter draws the last line: the prompt, a notice, the filter, or the keys.
func (u *ui) drawFooter(out *strings.Builder) {
	var line string
	switch {
	case u.dialog != nil || u.commands != nil || u.menu != nil: // keys go there
	case u.prompt != nil:
		line = u.prompt.draw(&u.palette)
	case u.notice.text != "" && u.notice.bad:
		line = u.palette.Bad.Paint("✗ " + u.notice.text)
	case u.notice.text != "":
		line = u.palette.Good.Paint(u.notice.text)
	case u.options.Settings.FirstTime:
		line = u.firstHints()
	case u.list.filter != "" && u.scope() == inTable:
		line = u.palette.Warn.Paint("/"+u.list.filter) + u.palette.Faint.Paint("  "+plural(u.list.total, "host")+", esc shows all")
	default:
		line = u.keyHints()
	}
	out.WriteString(ansi.Truncate(line, u.width, "…"))
}

// keyHints returns the most useful keys for what is shown.
func (u *ui) keyHints() string {
	names := []string{"open", "menu", "mark", "filter", "deploy", "log", "refresh", "commands"}
	switch {
	case u.help.open:
		names = []string{"down", "up", "back"}
	case u.runsPage.reading:
		names = []string{"back", "tab", "menu", "pager", "search", "next-error", "copy"}
	case u.runsPage.open:
		names = []string{"back", "read-run", "tab", "menu", "attach-run", "compare-runs", "pager"}
	case u.page.row != nil && u.page.tab == generationsTab:
		names = []string{"back", "tab", "menu", "rollback", "plan", "search", "copy"}
	case u.page.row != nil && u.page.tab == planTab:
		names = []string{"back", "tab", "menu", "plan", "plan-build", "deploy", "wrap", "search", "copy"}
	case u.page.row != nil:
		names = []string{"back", "tab", "menu", "plan", "follow", "wrap", "fold", "search", "next-error", "copy"}
	case u.focus == onLog:
		names = []string{"back", "follow", "wrap", "fold", "search", "next-match", "next-error", "copy"}
	case u.runs.activeCount() > 0:
		names = []string{"open", "menu", "log", "cancel", "mark", "filter", "commands"}
	case u.logs.onReport && u.hosts.failedCount > 0:
		names = []string{"next-failed", "retry", "log", "open", "mark", "filter", "commands"}
	case u.hosts.markedCount > 0:
		names = []string{"deploy", "menu", "test", "build", "exec", "mark", "mark-all"}
	}
	always := []string{"help", "quit"}
	room := u.width
	for _, name := range always {
		room -= u.hintWidth(name)
	}
	var line strings.Builder
	line.Grow(4 * u.width)
	for _, name := range names {
		if u.options.ReadOnly != "" && u.keys.named(name).changes || room < u.hintWidth(name)-hintGap {
			continue
		}
		room -= u.hintWidth(name)
		u.keyHint(&line, name)
	}
	for _, name := range always {
		u.keyHint(&line, name)
	}
	return strings.TrimRight(line.String(), " ")
}

// firstHints returns what to try first, for an operator who has not used the table before.
func (u *ui) firstHints() string {
	var line strings.Builder
	line.WriteString(u.palette.Warn.Paint("start here: "))
	for _, hint := range [][2]string{
		{"help", "all keys"}, {"menu", "what can be done"}, {"open", "open a host"}, {"mark", "mark it"}, {"deploy", "deploy (asks first)"}, {"quit", "quit"},
	} {
		if key := u.keys.keyFor(hint[0]); key != "" && (u.options.ReadOnly == "" || !u.keys.named(hint[0]).changes) {
			line.WriteString(u.palette.Strong.Paint(key) + " " + u.palette.Faint.Paint(hint[1]) + "  ")
		}
	}
	return line.String()
}

// hintGap is the number of blanks after each of the key hints.
const hintGap = 2

// hintWidth returns how many columns the hint for an action takes; 0 if it has no key.
func (u *ui) hintWidth(name string) int {
	key := u.keys.keyFor(name)
	if key == "" {
		return 0
	}
	return len(key) + 1 + len(name) + hintGap
}

func (u *ui) keyHint(line *strings.Builder, name string) {
	key := u.keys.keyFor(name)
	if key == "" {
		return
	}
	u.palette.Strong.put(line, key)
	line.WriteByte(' ')
	u.palette.Faint.put(line, name)
	line.WriteString("  ")
}
