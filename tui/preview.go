package tui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/markus-barta/nixfleet/fleet/health"
)

// preview is the panel beside the list of a wide window. It shows what is known about the host
// under the cursor.
type preview struct {
	key   previewKey
	lines []string // of the same width
}

// previewKey is everything that the lines of a preview depend on.
type previewKey struct {
	host          string
	known, layout uint64
	width, height int
	minute        int64
}

const (
	wideWidth     = 160 // the width of the narrowest window that has a preview
	maxListWidth  = 130
	previewHeight = 16 // of the lowest preview, if the log leaves room for it
	previewEdge   = " │ "

	maxPreviewRuns = 5
)

// listWidth returns the width of the list: that of the window, unless there is a preview.
func (u *ui) listWidth() int {
	if u.width < wideWidth || u.page.row != nil || u.height < minLogWindow {
		return u.width
	}
	return min(u.width*5/8, maxListWidth)
}

// hasPreview reports whether there is a preview beside the list.
func (u *ui) hasPreview() bool { return u.listWidth() < u.width }

// previewLines returns the lines of the preview, height of them.
func (u *ui) previewLines(height int) []string {
	width := u.width - u.listWidth() - len([]rune(previewEdge))
	r := u.current()
	key := previewKey{layout: u.layout, width: width, height: height, minute: u.now.Unix() / 60}
	if r != nil {
		key.host, key.known = r.Name, r.known
	}
	if key == u.preview.key && u.preview.lines != nil {
		return u.preview.lines
	}
	var lines []string
	if r != nil {
		lines = u.describe(r, width)
	}
	for len(lines) < height {
		lines = append(lines, "")
	}
	lines = lines[:height]
	for i, l := range lines {
		lines[i] = ansi.Truncate(l, width, "…")
	}
	u.preview = preview{key, lines}
	return lines
}

// describe returns the host's name and state, the facts, and the keys that are most useful now.
func (u *ui) describe(r *row, width int) []string {
	ink, mark, word := r.state(&u.painter)
	lines := []string{u.inks[r.Name].Paint(r.Name) + "  " + ink.Paint(mark+" "+word), ""}
	lines = append(lines, facts(r, &u.painter, width, u.now)...)
	var next strings.Builder
	for _, name := range u.suggestions(r) {
		u.keyHint(&next, name)
	}
	if past := pastLines(r.past, &u.painter, u.now); len(past) > 0 {
		lines = append(lines, "", u.palette.Faint.Paint("   last runs"))
		lines = append(lines, past[:min(len(past), maxPreviewRuns)]...)
	}
	if next.Len() > 0 {
		lines = append(lines, "", u.palette.Faint.Paint("   "+pad("next", labelWidth))+strings.TrimRight(next.String(), " "))
	}
	return lines
}

// suggestions returns the names of the actions that are most useful for a host in its state.
func (u *ui) suggestions(r *row) []string {
	var names []string
	switch s := r.judged.State; {
	case r.busy():
		names = []string{"log", "cancel"}
	case s == health.StateUnknownKey:
		names = []string{"trust", "refresh"}
	case s == health.StateRefused, s == health.StateOffline, s == health.StateAway:
		names = []string{"refresh"}
	case s == health.StateFailed, s == health.StateDegraded:
		names = []string{"retry", "open", "shell"}
	case s == health.StateReboot:
		names = []string{"reboot", "plan"}
	case s == health.StateCurrent:
		names = []string{"open", "shell"}
	default:
		names = []string{"deploy", "plan", "open"}
	}
	var available []string
	for _, name := range names {
		if u.options.ReadOnly == "" || !u.keys.named(name).changes {
			available = append(available, name)
		}
	}
	return available
}

// besidePreview draws lines of the list with the preview beside them. draw appends them, one per
// line, each of the list's width.
func (u *ui) besidePreview(out *strings.Builder, height int, draw func(*strings.Builder)) {
	if !u.hasPreview() {
		draw(out)
		return
	}
	var list strings.Builder
	list.Grow(2 * u.width * height)
	draw(&list)
	rest := list.String()
	for _, beside := range u.previewLines(height) {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		out.WriteString(line)
		u.palette.Faint.put(out, previewEdge)
		out.WriteString(beside)
		out.WriteByte('\n')
	}
}
