package tui

import (
	"slices"
	"strings"
	"unicode"

	tea "charm.land/bubbletea/v2"
)

// input is a line of text that the operator edits.
type input struct {
	runes []rune
	at    int // where the cursor is
}

func (i *input) text() string { return string(i.runes) }

func (i *input) set(text string) { i.runes = []rune(text); i.at = len(i.runes) }

// insert inserts the printable characters of text at the cursor.
func (i *input) insert(text string) {
	for _, r := range text {
		if unicode.IsPrint(r) {
			i.runes = slices.Insert(i.runes, i.at, r)
			i.at++
		}
	}
}

// key edits the text. It reports whether the key is one that edits.
func (i *input) key(msg tea.KeyPressMsg) bool {
	switch msg.String() {
	case "left", "ctrl+b":
		i.at = max(i.at-1, 0)
	case "right", "ctrl+f":
		i.at = min(i.at+1, len(i.runes))
	case "home", "ctrl+a":
		i.at = 0
	case "end", "ctrl+e":
		i.at = len(i.runes)
	case "backspace", "ctrl+h":
		if i.at > 0 {
			i.at--
			i.runes = slices.Delete(i.runes, i.at, i.at+1)
		}
	case "delete":
		if i.at < len(i.runes) {
			i.runes = slices.Delete(i.runes, i.at, i.at+1)
		}
	case "ctrl+u":
		i.runes = slices.Delete(i.runes, 0, i.at)
		i.at = 0
	case "ctrl+w":
		from := len([]rune(strings.TrimRightFunc(string(i.runes[:i.at]), unicode.IsSpace)))
		for from > 0 && i.runes[from-1] != ' ' {
			from--
		}
		i.runes = slices.Delete(i.runes, from, i.at)
		i.at = from
	default:
		if msg.Text == "" {
			return false
		}
		i.insert(msg.Text)
	}
	return true
}

// draw returns the text with its cursor. If hidden, every character is a dot.
func (i *input) draw(p *Palette, hidden bool) string {
	show := func(r []rune) string {
		if hidden {
			return strings.Repeat("•", len(r))
		}
		return string(r)
	}
	under, rest := " ", ""
	if i.at < len(i.runes) {
		under, rest = show(i.runes[i.at:i.at+1]), show(i.runes[i.at+1:])
	}
	if p.Cursor.on == "" {
		return show(i.runes[:i.at]) + "▏" + strings.TrimRight(under, " ") + rest
	}
	return show(i.runes[:i.at]) + p.Cursor.Paint(under) + rest
}
