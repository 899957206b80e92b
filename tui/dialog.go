package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// choice is one of what there is to choose from.
type choice struct {
	text string // clean
	to   int    // the generation
	now  bool   // it is so already: not to be chosen
}

// dialog is a question that must be answered before anything else. What it would do is fixed when it opens: nothing that
// happens behind it changes whom it is about.
type dialog struct {
	title  string
	lines  []string // clean text
	yes    string   // what the button says that does it
	hosts  []string // whom it is about
	input  *input   // something to be typed
	hidden bool     // not to be seen
	want   string   // what must be typed for yes; "" is anything
	onYes  bool     // the focus; it begins on Cancel
	list   []choice // of which one is meant; none where there is nothing to choose
	at     int      // the chosen one
	do     func(u *ui, text string) tea.Cmd
	cancel func(u *ui)

	question *question // that somebody waits for; nil where nobody does
}

func (d *dialog) key(u *ui, msg tea.KeyPressMsg) tea.Cmd {
	switch msg.String() {
	case "esc":
		return d.close(u, false)
	case "enter":
		return d.close(u, d.onYes || d.input != nil)
	case "tab", "shift+tab":
		d.onYes = !d.onYes
	default:
		if d.input != nil {
			d.input.key(msg)
			return nil
		}
		switch msg.String() {
		case "left", "right", "h", "l":
			d.onYes = !d.onYes
		case "down", "j", "ctrl+n":
			d.choose(1)
		case "up", "k", "ctrl+p":
			d.choose(-1)
		}
	}
	return nil
}

func (d *dialog) close(u *ui, yes bool) tea.Cmd {
	text := ""
	if d.input != nil {
		text = d.input.text()
	}
	if yes && d.want != "" && strings.TrimSpace(text) != d.want {
		return nil // not yet typed
	}
	u.dialog = nil
	defer u.nextQuestion()
	if yes {
		return d.do(u, text)
	}
	if d.cancel != nil {
		d.cancel(u)
	}
	return nil
}

// box draws the dialog, a string a line, all of one width.
func (d *dialog) box(u *ui) []string {
	p := &u.palette
	inner := boxWidth(u)
	var body []string
	for _, l := range d.lines {
		body = append(body, strings.Split(ansi.Wrap(l, inner, ""), "\n")...)
	}
	room := max(u.height-8, 1)
	if len(d.list) > 0 {
		room = max(room-min(len(d.list), mostChoices, room/2)-1, 1)
	}
	if len(body) > room { // whom it is about comes first, and stays
		body = append(body[:max(room-1, 1)], "…")
	}
	body = append(body, d.choices(p, u.height-8-len(body))...)
	if d.input != nil {
		body = append(body, "", p.Strong.Paint("> ")+d.input.draw(p, d.hidden))
	}
	body = append(body, "", d.buttons(p))
	return frameAround(u, d.title, body)
}

// choose goes on to the next choice there is, in a direction.
func (d *dialog) choose(step int) {
	for i := d.at + step; i >= 0 && i < len(d.list); i += step {
		if !d.list[i].now {
			d.at = i
			return
		}
	}
}

// mostChoices show at once.
const mostChoices = 8

// choices are the lines of what there is to choose from, those around the chosen one where there is no room for all.
func (d *dialog) choices(p *Palette, room int) []string {
	if len(d.list) == 0 {
		return nil
	}
	room = min(max(room-1, 1), mostChoices)
	top := min(max(d.at-room/2, 0), max(len(d.list)-room, 0))
	lines := []string{""}
	for i := top; i < min(top+room, len(d.list)); i++ {
		if i == d.at {
			lines = append(lines, p.Strong.Paint("▸ "+d.list[i].text))
		} else {
			lines = append(lines, "  "+d.list[i].text)
		}
	}
	if hidden := len(d.list) - room; hidden > 0 {
		lines[0] = p.Faint.Paint(plural(len(d.list), "generation") + ", j and k for more")
	}
	return lines
}

// frameAround draws lines in a box, cut to its width.
func frameAround(u *ui, title string, lines []string) []string {
	p, inner := &u.palette, boxWidth(u)
	box := []string{frame("╭", "╮", " "+title+" ", inner, p)}
	for _, l := range lines {
		l = ansi.Truncate(l, inner, "…")
		box = append(box, p.Busy.Paint("│")+" "+l+strings.Repeat(" ", inner-ansi.StringWidth(l))+" "+p.Busy.Paint("│"))
	}
	return append(box, frame("╰", "╯", "", inner, p))
}

// boxWidth is that of the text in a box.
func boxWidth(u *ui) int { return min(u.width-6, 72) }

func frame(left, right, title string, inner int, p *Palette) string {
	title = ansi.Truncate(title, inner, "…")
	line := strings.Repeat("─", inner+1-ansi.StringWidth(title))
	return p.Busy.Paint(left+"─") + p.Strong.Paint(title) + p.Busy.Paint(line+right)
}

func (d *dialog) buttons(p *Palette) string {
	button := func(text string, focused bool) string {
		if focused {
			return p.Strong.Paint("[▸" + text + " ]")
		}
		return "[ " + text + " ]"
	}
	if d.input != nil {
		return p.Faint.Paint("enter: " + d.yes + "   esc: Cancel")
	}
	return button("Cancel", !d.onYes) + "  " + button(d.yes, d.onYes)
}

// overlay puts a box in the middle of a screen.
func overlay(screen string, box []string, width, height int) string {
	lines := strings.Split(screen, "\n")
	wide := ansi.StringWidth(box[0])
	left, top := (width-wide)/2, max((height-len(box))/3, 0)
	for i, b := range box {
		if top+i >= len(lines) {
			break
		}
		l := lines[top+i]
		l += strings.Repeat(" ", max(width-ansi.StringWidth(l), 0))
		lines[top+i] = ansi.Cut(l, 0, left) + ansi.ResetStyle + b + ansi.Cut(l, left+wide, width)
	}
	return strings.Join(lines, "\n")
}
