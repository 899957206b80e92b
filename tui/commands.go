package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"
)

// commandPalette finds actions by name, for an operator who does not know the keys.
type commandPalette struct {
	keys     *keymap
	scope    scope // where keys went when it was opened
	readOnly bool
	input    input
	chosen   int
}

func newCommandPalette(keys *keymap, scope scope, readOnly bool) *commandPalette {
	return &commandPalette{keys: keys, scope: scope, readOnly: readOnly}
}

// matches returns the actions whose name or description contains what was typed. Those whose name
// starts with it come first; before anything is typed, the actions on hosts do.
func (c *commandPalette) matches() []*action {
	typed := strings.ToLower(strings.TrimSpace(c.input.text()))
	var first, rest []*action
	for i := range c.keys.actions {
		a := &c.keys.actions[i]
		switch {
		case a.scope&c.scope == 0 || strings.HasPrefix(a.name, "sort-"):
		case strings.HasPrefix(a.name, typed) && (typed != "" || a.forHosts()):
			first = append(first, a)
		case strings.Contains(a.name+" "+a.about, typed):
			rest = append(rest, a)
		}
	}
	return append(first, rest...)
}

func (c *commandPalette) key(msg tea.KeyPressMsg) effect {
	found := c.matches()
	switch msg.String() {
	case "esc":
		return effect{closed: true}
	case "up", "ctrl+p", "shift+tab":
		c.chosen = max(c.chosen-1, 0)
	case "down", "ctrl+n", "tab":
		c.chosen = min(c.chosen+1, max(len(found)-1, 0))
	case "enter":
		e := effect{closed: true}
		if c.chosen < len(found) {
			e.action = found[c.chosen]
		}
		return e
	default:
		if c.input.key(msg) {
			c.chosen = 0
		}
	}
	return effect{}
}

// box draws the palette like a dialog.
func (c *commandPalette) box(p *Palette, width, height int) []string {
	found := c.matches()
	lines := []string{p.Strong.Paint(":") + c.input.draw(p, false), ""}
	room := max(min(height-8, 14), 1)
	top := max(c.chosen-room+1, 0)
	for i := top; i < min(top+room, len(found)); i++ {
		a := found[i]
		key := ""
		if len(a.keys) > 0 {
			key = a.keys[0]
		}
		mark, line := "  ", pad(a.name, 16)+pad(key, 8)+a.about
		switch {
		case i == c.chosen:
			mark, line = p.Strong.Paint("▸ "), p.Strong.Paint(line)
		case a.changes && c.readOnly:
			line = p.Faint.Paint(line)
		}
		lines = append(lines, mark+line)
	}
	if len(found) == 0 {
		lines = append(lines, p.Faint.Paint("no matching command"))
	}
	return framed(p, "commands", lines, "", boxWidth(width))
}
