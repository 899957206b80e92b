package tui

import (
	tea "charm.land/bubbletea/v2"
)

// prompt is a text that is typed in the last line and takes effect while it is typed.
type prompt struct {
	label   string
	about   string
	before  string // what esc restores
	input   input
	change  func(text string) // called with the text whenever it changes
	problem func() string     // returns why the text is invalid, or ""; nil if any text is fine
	accept  func() effect     // called on enter; nil if there is nothing more to do
	history []string          // texts that were typed before, oldest first
	back    int               // how many steps back the text is from the history; 0 if it is not
}

func newPrompt(label, about, text string, change func(text string), accept func() effect) *prompt {
	p := &prompt{label: label, about: about, before: text, change: change, accept: accept}
	p.input.set(text)
	return p
}

func (p *prompt) key(msg tea.KeyPressMsg) effect {
	switch msg.String() {
	case "esc":
		p.change(p.before)
		return effect{closed: true}
	case "enter":
		if p.problem != nil && p.problem() != "" {
			return effect{} // to be corrected
		}
		var e effect
		if p.accept != nil {
			e = p.accept()
		}
		e.closed = true
		return e
	case "up":
		p.recall(p.back + 1)
	case "down":
		p.recall(p.back - 1)
	default:
		if p.input.key(msg) {
			p.change(p.input.text())
		}
	}
	return effect{}
}

// recall shows a text that was typed before, or for 0 none.
func (p *prompt) recall(back int) {
	if len(p.history) == 0 || back < 0 || back > len(p.history) {
		return
	}
	p.back = back
	text := ""
	if back > 0 {
		text = p.history[len(p.history)-back]
	}
	p.input.set(text)
	p.change(text)
}

func (p *prompt) insert(text string) {
	p.input.insert(text)
	p.change(p.input.text())
}

func (p *prompt) draw(palette *Palette) string {
	about := palette.Faint.Paint(p.about)
	if p.problem != nil && p.problem() != "" {
		about = palette.Warn.Paint(p.problem())
	}
	return palette.Strong.Paint(p.label) + p.input.draw(palette, false) + "  " + about
}
