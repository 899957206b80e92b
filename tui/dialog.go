package tui

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// choice is one of the things to choose from, such as a generation.
type choice struct {
	text       string // safe to print
	generation int    // 0 if it is none
	disabled   bool   // cannot be chosen: it is current
}

// dialog is a question that must be answered before anything else. What it would do is fixed when
// it opens: nothing that happens in the meantime changes which hosts it is about.
type dialog struct {
	title    string
	names    string   // of the hosts, as shown; safe to print
	lines    []string // safe to print
	confirm  string   // the label of the button that does it
	decline  string   // the label of the button that does not
	hosts    []string // that it is about
	input    *input   // for a text; nil if there is nothing to type
	hidden   bool     // the text is a secret
	expected string   // the text that confirms; "" is any
	asked    string   // what to type; "" if there is nothing to explain
	onYes    bool     // the focus is on the confirm button
	choices  []choice // nil if there is nothing to choose
	noun     string   // what a choice is
	chosen   int
	history  []string // texts that were typed before, oldest first
	recalled int      // how many steps back the text is from the history; 0 if it is not
	leaves   bool     // it leaves the table
	accept   func(text string) tea.Cmd
	cancel   func() // nil if there is nothing to do

	question *question // of a goroutine that waits for the answer; nil if there is none
}

// newHostDialog returns a dialog that names hosts.
func newHostDialog(title string, hosts []*inventory.Host) *dialog {
	d := &dialog{title: title}
	for _, h := range hosts {
		d.hosts = append(d.hosts, h.Name)
	}
	const maxNames = 24
	shown := d.hosts[:min(len(d.hosts), maxNames)]
	names := strings.Join(shown, ", ")
	if more := len(d.hosts) - len(shown); more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	d.names = names
	return d
}

// noteHidden adds which of the dialog's hosts are marked but not on the screen.
func (d *dialog) noteHidden(hidden []string) {
	const maxNames = 3
	switch n := len(hidden); {
	case n == 0:
		return
	case n > maxNames:
		d.lines = slices.Insert(d.lines, 0, fmt.Sprintf("%d of them are marked but hidden by the filter", n))
	case n == 1:
		d.lines = slices.Insert(d.lines, 0, hidden[0]+" is marked but hidden by the filter")
	default:
		d.lines = slices.Insert(d.lines, 0, strings.Join(hidden, ", ")+" are marked but hidden by the filter")
	}
}

// expectCount requires the number of hosts to be typed, and shows why.
func (d *dialog) expectCount(why string) {
	d.expected, d.input = strconv.Itoa(len(d.hosts)), &input{}
	d.asked = fmt.Sprintf("%s: type %s to confirm", why, d.expected)
}

func (d *dialog) key(msg tea.KeyPressMsg) effect {
	switch msg.String() {
	case "esc":
		return d.close(false)
	case "enter":
		return d.close(d.onYes || d.input != nil)
	case "tab", "shift+tab":
		d.onYes = !d.onYes
	default:
		if d.input != nil {
			d.edit(msg)
			return effect{}
		}
		switch msg.String() {
		case "y", "Y":
			return d.close(true)
		case "n", "N":
			return d.close(false)
		case "left", "right", "h", "l":
			d.onYes = !d.onYes
		case "down", "j", "ctrl+n":
			d.choose(1)
		case "up", "k", "ctrl+p":
			d.choose(-1)
		}
	}
	return effect{}
}

// edit edits the text, or recalls one that was typed before.
func (d *dialog) edit(msg tea.KeyPressMsg) {
	step := 0
	switch msg.String() {
	case "up", "ctrl+p":
		step = 1
	case "down", "ctrl+n":
		step = -1
	default:
		d.input.key(msg)
		return
	}
	to := d.recalled + step
	if len(d.history) == 0 || to < 0 || to > len(d.history) {
		return
	}
	d.recalled = to
	d.input.set("")
	if to > 0 {
		d.input.set(d.history[len(d.history)-to])
	}
}

// close accepts or cancels. It does nothing if the expected text has not been typed.
func (d *dialog) close(yes bool) effect {
	text := ""
	if d.input != nil {
		text = d.input.text()
	}
	if yes && d.expected != "" && strings.TrimSpace(text) != d.expected {
		return effect{}
	}
	e := effect{closed: true}
	if yes {
		e.cmd = d.accept(text)
	} else if d.cancel != nil {
		d.cancel()
	}
	return e
}

// choose moves to the next choice that is not disabled, in the direction of step.
func (d *dialog) choose(step int) {
	for i := d.chosen + step; i >= 0 && i < len(d.choices); i += step {
		if !d.choices[i].disabled {
			d.chosen = i
			return
		}
	}
}

// box draws the dialog for a window of that size, one string per line, all of the same width. If
// the window is too low, it has no blank lines; then the hosts' names are cut first, then the lines
// about them, but never what to type or the buttons.
func (d *dialog) box(p *Palette, width, height int) []string {
	inner := boxWidth(width)
	room := height - 2 // of the frame
	end := d.answer(p, inner)
	choices := min(len(d.choices), maxChoices, max(room/3, 1))
	if choices > 0 {
		choices++ // the line above them
	}
	names, lines := wrapped(inner, d.names), wrapped(inner, d.lines...)
	if len(names) > 0 && len(lines) > 0 {
		names = append(names, "")
	}
	room -= len(end) + choices
	if len(names)+len(lines) > room {
		blank := func(line string) bool { return line == "" }
		before := len(end)
		names, lines, end = slices.DeleteFunc(names, blank), slices.DeleteFunc(lines, blank), slices.DeleteFunc(end, blank)
		room += before - len(end)
	}
	names = cutLines(names, max(room-len(lines), 1))
	lines = cutLines(lines, max(room-len(names), 1))
	body := slices.Concat(names, lines)
	body = append(body, d.choiceLines(p, height-2-len(end)-len(body))...)
	body = append(body, end...)
	return framed(p, d.title, body, d.keyHints(), inner)
}

// wrapped returns lines, wrapped at a width.
func wrapped(width int, lines ...string) []string {
	var all []string
	for _, l := range lines {
		if l != "" || len(lines) > 1 {
			all = append(all, strings.Split(ansi.Wrap(l, width, ""), "\n")...)
		}
	}
	return all
}

// cutLines returns at most n lines. The last of them shows that some were cut.
func cutLines(lines []string, n int) []string {
	switch {
	case len(lines) <= n:
		return lines
	case n == 1:
		return []string{lines[0] + "…"}
	}
	return append(slices.Clone(lines[:n-1]), "…")
}

// answer returns the lines with which the operator answers: what to type, the input, the buttons.
func (d *dialog) answer(p *Palette, width int) []string {
	var lines []string
	if d.asked != "" {
		lines = append(append(lines, ""), wrapped(width, d.asked)...)
	}
	if d.input != nil {
		lines = append(lines, "", p.Strong.Paint("> ")+d.input.draw(p, d.hidden))
	}
	return append(lines, "", d.buttons(p))
}

// maxChoices is how many choices are shown at once.
const maxChoices = 8

// choiceLines returns the choices as lines: those around the chosen one if there is no room for
// all.
func (d *dialog) choiceLines(p *Palette, room int) []string {
	if len(d.choices) == 0 {
		return nil
	}
	room = min(max(room-1, 1), maxChoices)
	top := min(max(d.chosen-room/2, 0), max(len(d.choices)-room, 0))
	lines := []string{""}
	for i := top; i < min(top+room, len(d.choices)); i++ {
		if i == d.chosen {
			lines = append(lines, p.Strong.Paint("▸ "+d.choices[i].text))
		} else {
			lines = append(lines, "  "+d.choices[i].text)
		}
	}
	if len(d.choices) > room {
		lines[0] = p.Faint.Paint(plural(len(d.choices), d.noun) + ", j and k for more")
	}
	return lines
}

func (d *dialog) buttons(p *Palette) string {
	button := func(text string, focused bool) string {
		if focused {
			return p.Strong.Paint("[▸" + text + " ]")
		}
		return "[ " + text + " ]"
	}
	if d.input != nil {
		keys := "enter: " + d.confirm + "   esc: " + d.decline
		if len(d.history) > 0 {
			keys += "   ↑ ↓: earlier ones"
		}
		return p.Faint.Paint(keys)
	}
	return button(d.decline, !d.onYes) + "  " + button(d.confirm, d.onYes)
}

// keyHints returns the keys that choose a button, for the lower edge of the box.
func (d *dialog) keyHints() string {
	if d.input != nil {
		return ""
	}
	return " y n · ← → choose · enter · esc "
}

// framed draws lines in a box with a title and a text in its lower edge. The text in it is inner
// columns wide.
func framed(p *Palette, title string, lines []string, hints string, inner int) []string {
	box := []string{frameLine(p, "╭", "╮", p.Strong, " "+title+" ", inner)}
	for _, l := range lines {
		l = ansi.Truncate(l, inner, "…")
		box = append(box, p.Busy.Paint("│")+" "+l+strings.Repeat(" ", inner-ansi.StringWidth(l))+" "+p.Busy.Paint("│"))
	}
	return append(box, frameLine(p, "╰", "╯", p.Faint, hints, inner))
}

// boxWidth returns the width of the text in a box.
func boxWidth(width int) int { return min(width-6, 72) }

func frameLine(p *Palette, left, right string, ink Ink, text string, inner int) string {
	text = ansi.Truncate(text, inner, "…")
	line := strings.Repeat("─", inner+1-ansi.StringWidth(text))
	return p.Busy.Paint(left+"─") + ink.Paint(text) + p.Busy.Paint(line+right)
}

// overlay draws a box over the middle of a screen.
func overlay(screen string, box []string, width, height int) string {
	lines := strings.Split(screen, "\n")
	boxWidth := ansi.StringWidth(box[0])
	left, top := (width-boxWidth)/2, max((height-len(box))/3, 0)
	for i, b := range box {
		if top+i >= len(lines) {
			break
		}
		l := lines[top+i]
		l += strings.Repeat(" ", max(width-ansi.StringWidth(l), 0))
		lines[top+i] = ansi.Cut(l, 0, left) + ansi.ResetStyle + b + ansi.Cut(l, left+boxWidth, width)
	}
	return strings.Join(lines, "\n")
}
