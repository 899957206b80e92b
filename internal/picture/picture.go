// Package picture draws the screen of a terminal as SVG, for the documentation: a still picture, or
// a recording that browsers play.
package picture

import (
	"encoding/xml"
	"fmt"
	"image/color"
	"strings"

	uv "github.com/charmbracelet/ultraviolet"
)

// A Screen is the screen of a terminal, such as a vt.Emulator of charmbracelet/x.
type Screen interface {
	Width() int
	Height() int
	CellAt(x, y int) *uv.Cell
}

// Colors are the colors of cells that have none of their own.
type Colors struct{ Background, Text string }

var (
	// Dark is for programs that expect a dark background.
	Dark = Colors{"#10141c", "#d6deeb"}
	// Light is for programs that expect a light background.
	Light = Colors{"#fbfcfe", "#1f2733"}
)

// Dimensions of a cell, and of the margin around all cells.
const (
	cellWidth, cellHeight = 8.4, 18
	margin                = 14
)

// Still returns the screen as an SVG document.
func Still(s Screen, c Colors) string {
	var b strings.Builder
	begin(&b, s.Width(), s.Height(), c, "")
	for _, r := range runs(s, c) {
		r.draw(&b)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// begin writes the start of a document with the size of a screen, and its background.
func begin(b *strings.Builder, width, height int, c Colors, style string) {
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %d" font-family="ui-monospace, SFMono-Regular, Menlo, 'DejaVu Sans Mono', monospace" font-size="14" fill="%s">`+"\n",
		float64(width)*cellWidth+2*margin, height*cellHeight+2*margin, c.Text)
	b.WriteString(style)
	fmt.Fprintf(b, `<rect width="100%%" height="100%%" rx="10" fill="%s"/>`+"\n", c.Background)
}

// A run is a sequence of cells of a line that look alike.
type run struct {
	x, y, columns int
	text          string
	attributes    string // of the text
	background    string // a color, or "" for the screen's
}

// runs returns what is visible on a screen.
func runs(s Screen, c Colors) []run {
	var found []run
	for y := range s.Height() {
		for x := 0; x < s.Width(); {
			first := s.CellAt(x, y)
			r := run{x: x, y: y}
			for x < s.Width() && s.CellAt(x, y).Style.Equal(&first.Style) {
				cell := s.CellAt(x, y)
				r.text += cell.Content
				x += max(cell.Width, 1)
			}
			r.columns = x - r.x
			if r.style(first.Style, c); r.background != "" || strings.TrimSpace(r.text) != "" {
				found = append(found, r)
			}
		}
	}
	return found
}

// style sets the attributes and the background of the run.
func (r *run) style(s uv.Style, c Colors) {
	foreground := ""
	if s.Fg != nil {
		foreground = Hex(s.Fg)
	}
	if s.Bg != nil {
		r.background = Hex(s.Bg)
	}
	if s.Attrs&uv.AttrReverse != 0 {
		if foreground == "" {
			foreground = c.Text
		}
		if r.background == "" {
			r.background = c.Background
		}
		foreground, r.background = r.background, foreground
	}
	if foreground != "" {
		r.attributes = fmt.Sprintf(` fill="%s"`, foreground)
	}
	if s.Attrs&uv.AttrBold != 0 {
		r.attributes += ` font-weight="bold"`
	}
	if s.Attrs&uv.AttrFaint != 0 {
		r.attributes += ` opacity="0.6"`
	}
}

// draw writes the run. Its text gets the width of its cells, whatever the font is.
func (r run) draw(b *strings.Builder) {
	left, top := func(column int) float64 { return margin + float64(column)*cellWidth }, margin+r.y*cellHeight
	if r.background != "" {
		fmt.Fprintf(b, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"/>`+"\n", left(r.x), top, float64(r.columns)*cellWidth, cellHeight, r.background)
	}
	text := strings.TrimRight(r.text, " ")
	columns := r.columns - (len(r.text) - len(text))
	shown := strings.TrimLeft(text, " ")
	blanks := len(text) - len(shown)
	if shown == "" {
		return
	}
	space := ""
	if strings.Contains(shown, "  ") {
		space = ` xml:space="preserve"`
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%d" textLength="%.1f"%s%s>`, left(r.x+blanks), top+cellHeight-5, float64(columns-blanks)*cellWidth, r.attributes, space)
	_ = xml.EscapeText(b, []byte(shown)) // a strings.Builder does not fail
	b.WriteString("</text>\n")
}

// Hex returns a color as #rrggbb.
func Hex(c color.Color) string {
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}
