package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"
)

// commands is the palette: every action by its name, for those who do not know the keys.
type commands struct {
	input input
	at    int
	where scope // the keys went there when it was opened
}

func (u *ui) askCommand() { u.commands = &commands{where: u.scope()} }

// matching are the actions whose name or words have what was typed in them; those whose name begins with it come first, and before
// anything is typed those that do something to hosts.
func (c *commands) matching(u *ui) []*action {
	typed := strings.ToLower(strings.TrimSpace(c.input.text()))
	var first, rest []*action
	for i := range u.keys.actions {
		a := &u.keys.actions[i]
		switch {
		case a.where&c.where == 0 || strings.HasPrefix(a.name, "sort-"):
		case strings.HasPrefix(a.name, typed) && (typed != "" || a.forHosts()):
			first = append(first, a)
		case strings.Contains(a.name+" "+a.about, typed):
			rest = append(rest, a)
		}
	}
	return append(first, rest...)
}

func (c *commands) key(u *ui, msg tea.KeyPressMsg) tea.Cmd {
	found := c.matching(u)
	switch msg.String() {
	case "esc":
		u.commands = nil
	case "up", "ctrl+p", "shift+tab":
		c.at = max(c.at-1, 0)
	case "down", "ctrl+n", "tab":
		c.at = min(c.at+1, max(len(found)-1, 0))
	case "enter":
		u.commands = nil
		if c.at < len(found) {
			return u.perform(found[c.at])
		}
	default:
		if c.input.key(msg) {
			c.at = 0
		}
	}
	return nil
}

// box draws it as a dialog is drawn.
func (c *commands) box(u *ui) []string {
	p := &u.palette
	found := c.matching(u)
	lines := []string{p.Strong.Paint(":") + c.input.draw(p, false), ""}
	room := max(min(u.height-8, 14), 1)
	top := max(c.at-room+1, 0)
	for i := top; i < min(top+room, len(found)); i++ {
		a := found[i]
		key := ""
		if len(a.keys) > 0 {
			key = a.keys[0]
		}
		mark, line := "  ", pad(a.name, 16)+pad(key, 8)+a.about
		switch {
		case i == c.at:
			mark, line = p.Strong.Paint("▸ "), p.Strong.Paint(line)
		case a.changes && u.o.ReadOnly != "":
			line = p.Faint.Paint(line)
		}
		lines = append(lines, mark+line)
	}
	if len(found) == 0 {
		lines = append(lines, p.Faint.Paint("no command is like that"))
	}
	return frameAround(u, "commands", lines)
}
