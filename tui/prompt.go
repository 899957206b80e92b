package tui

import (
	tea "charm.land/bubbletea/v2"
)

// prompt is what is typed in the last line, and takes effect as it is.
type prompt struct {
	sign    string
	about   string
	input   input
	before  string // what esc goes back to
	changed func(*ui)
	done    func(*ui) tea.Cmd
}

func (p *prompt) key(u *ui, msg tea.KeyPressMsg) tea.Cmd {
	switch msg.String() {
	case "esc":
		p.input.set(p.before)
		p.changed(u)
		u.prompt = nil
	case "enter":
		u.prompt = nil
		return p.done(u)
	case "up", "down":
		return nil
	default:
		if p.input.key(msg) {
			p.changed(u)
		}
	}
	return nil
}

func (p *prompt) draw(u *ui) string {
	line := u.palette.Strong.Paint(p.sign) + p.input.draw(&u.palette, false)
	return line + "  " + u.palette.Faint.Paint(p.about)
}

func (u *ui) askFilter() {
	p := &prompt{sign: "/", about: "a part of a name, tag or state; @tag, kind:home, not A, A and B"}
	p.input.set(u.list.filter)
	p.changed = func(u *ui) { u.list.filter = p.input.text(); u.arrange() }
	p.done = func(*ui) tea.Cmd { return nil }
	u.prompt = p
}

func (u *ui) askSearch() {
	p := &prompt{sign: "search /", about: "enter goes to the first, n and N to the others"}
	p.changed = func(u *ui) { u.manner.search = lower(p.input.text()) }
	p.done = func(u *ui) tea.Cmd { return u.nextMatch(-1) }
	u.prompt = p
}
