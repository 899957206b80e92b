package tui

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
)

func lower(s string) string { return strings.ToLower(s) }

// nextTab shows the next of a host's log, plan and generations, or of: the log of the host under the cursor, the fleet's, those of pinned hosts.
func (u *ui) nextTab() tea.Cmd {
	if u.open != "" {
		return u.nextPart()
	}
	i := slices.Index(u.pins, u.tab)
	switch {
	case u.follow:
		u.follow, u.tab = false, ""
	case u.tab == "" && len(u.pins) > 0:
		u.tab = u.pins[0]
	case u.tab != "" && i >= 0 && i+1 < len(u.pins):
		u.tab = u.pins[i+1]
	default:
		u.follow, u.tab = true, ""
	}
	return nil
}

// pin keeps a tab for the host under the cursor, or lets it go.
func (u *ui) pin() {
	name := u.list.cursor
	if i := slices.Index(u.pins, name); i >= 0 {
		u.pins = slices.Delete(u.pins, i, i+1)
		if u.tab == name {
			u.follow, u.tab = true, ""
		}
		return
	}
	u.pins = append(u.pins, name)
}

func (u *ui) toggleFollow() tea.Cmd {
	p := u.pane()
	p.stopLooking()
	if p.away {
		return u.toEnd(p)
	}
	from, _ := p.seen(u.manner)
	p.show(from)
	return nil
}

// toggleFold shows builds' own lines, or how many they are. What stands at the top stays there.
func (u *ui) toggleFold() {
	p := u.pane()
	if p.page != nil {
		u.refuse("of a record every line shows")
		return
	}
	p.top, _ = p.seen(u.manner)
	u.manner.unfold = !u.manner.unfold
}

func (u *ui) nextMatch(step int) tea.Cmd {
	text := u.manner.search
	if text == "" {
		u.refuse("search for something first")
		return nil
	}
	return u.seek(step, func(l *logLine) bool { return contains(l, text) }, fmt.Sprintf("no line has %q", text))
}

func (u *ui) nextError() tea.Cmd {
	return u.seek(1, (*logLine).grave, "no line tells of something wrong")
}

func (u *ui) copy() tea.Cmd {
	p := u.pane()
	from, to := p.seen(u.manner)
	var text strings.Builder
	for n := from; n < to; n++ {
		text.WriteString(p.lines().line(n).text + "\n")
	}
	u.tell(fmt.Sprintf("copied %s, if the terminal lets it", plural(to-from, "line")))
	return tea.SetClipboard(text.String())
}
