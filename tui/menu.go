package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// menu is a list of things to choose from, each with a key.
type menu struct {
	title  string
	items  []menuItem
	chosen int
}

// menuItem is one thing that can be chosen.
type menuItem struct {
	key, name, about string
	why              string // why it is not available, or ""
	do               func() effect
}

func (m *menu) key(msg tea.KeyPressMsg) effect {
	key := msg.String()
	switch key {
	case "esc":
		return effect{closed: true}
	case "enter":
		return m.choose(m.chosen)
	case "down", "ctrl+n", "tab":
		m.chosen = min(m.chosen+1, len(m.items)-1)
		return effect{}
	case "up", "ctrl+p", "shift+tab":
		m.chosen = max(m.chosen-1, 0)
		return effect{}
	}
	for i, it := range m.items {
		if it.key == key {
			return m.choose(i)
		}
	}
	switch key {
	case "j":
		m.chosen = min(m.chosen+1, len(m.items)-1)
	case "k":
		m.chosen = max(m.chosen-1, 0)
	case "q", "h", "left":
		return effect{closed: true}
	}
	return effect{}
}

// choose does what an item is for, or shows why it is not available.
func (m *menu) choose(i int) effect {
	var e effect
	if it := m.items[i]; it.why != "" {
		e = refusal(it.why)
	} else {
		e = it.do()
	}
	e.closed = true
	return e
}

// box draws the menu like a dialog.
func (m *menu) box(p *Palette, width, height int) []string {
	keyWidth, nameWidth := 0, 0
	for _, it := range m.items {
		keyWidth, nameWidth = max(keyWidth, ansi.StringWidth(it.key)), max(nameWidth, ansi.StringWidth(it.name))
	}
	room := min(max(height-4, 1), len(m.items))
	top := min(max(m.chosen-room/2, 0), len(m.items)-room)
	inner := boxWidth(width)
	var lines []string
	for i := top; i < top+room; i++ {
		it := m.items[i]
		line := pad(it.key, keyWidth) + "  " + pad(it.name, nameWidth) + "  "
		about := it.about
		if it.why != "" {
			about = it.why
		}
		line += truncate(about, inner-2-ansi.StringWidth(line))
		switch {
		case i == m.chosen && it.why == "":
			line = p.Strong.Paint("▸ " + line)
		case i == m.chosen:
			line = p.Faint.Paint("▸ " + line)
		case it.why != "":
			line = "  " + p.Faint.Paint(line)
		default:
			line = "  " + line
		}
		lines = append(lines, line)
	}
	hints := " its key, or j k enter · esc "
	if room < len(m.items) {
		hints = strings.TrimRight(hints, " ") + " · " + plural(len(m.items), "entry") + " "
	}
	return framed(p, m.title, lines, hints, inner)
}

// openMenu lists what can be done with what the keys are about: the hosts that an action is for, or
// the log.
func (u *ui) openMenu() {
	if u.scope() == inRuns {
		u.menu = u.menuOfRun()
		return
	}
	hosts := u.targets()
	title := "no host"
	switch len(hosts) {
	case 0:
	case 1:
		title = hosts[0].Name
	default:
		title = plural(len(hosts), "marked host")
	}
	u.menu = u.newMenu(title, (*action).inMenu)
}

// newMenu returns a menu of the actions that belong to it and work in the current view.
func (u *ui) newMenu(title string, belongs func(*action) bool) *menu {
	m := &menu{title: title}
	for i := range u.keys.actions {
		a := &u.keys.actions[i]
		if a.scope&u.scope() == 0 || !belongs(a) {
			continue
		}
		it := menuItem{name: a.name, about: a.about, why: strings.TrimPrefix(u.whyNot(a), a.name+" is off: "), do: func() effect { return effect{action: a} }}
		if len(a.keys) > 0 {
			it.key = a.keys[0]
		}
		m.items = append(m.items, it)
	}
	return m
}

// inMenu reports whether the menu has the action: those on hosts, and those that take a host or its
// log elsewhere.
func (a *action) inMenu() bool {
	switch a.name {
	case "open", "pin", "yank", "pager", "edit", "runs":
		return true
	}
	return a.forHosts()
}
