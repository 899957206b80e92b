package tui

import (
	"image/color"
	"strconv"
	"strings"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"github.com/markus-barta/nixfleet/fleet"
)

// Ink is one way to paint text. The zero Ink leaves text as it is.
type Ink struct{ on string }

// Paint returns s in this ink. s holds no escape sequences of its own.
func (i Ink) Paint(s string) string {
	if i.on == "" || s == "" {
		return s
	}
	return i.on + s + ansi.ResetStyle
}

// Palette is the inks of one terminal, made once for what that terminal can show. They are its owner's sixteen colours;
// only a host's own colour is more. The zero Palette paints nothing.
type Palette struct {
	Good, Warn, Bad, Busy Ink
	Faint, Strong         Ink

	profile colorprofile.Profile
}

// NewPalette makes the inks for a terminal. A profile of ASCII is a terminal without colours: bold and faint remain.
func NewPalette(profile colorprofile.Profile) Palette {
	p := Palette{profile: profile}
	if profile < colorprofile.ASCII {
		return p
	}
	p.Strong = Ink{ansi.NewStyle().Bold().String()}
	p.Faint = Ink{ansi.NewStyle().Faint().String()}
	p.Good = p.color(ansi.Green)
	p.Warn = p.color(ansi.Yellow)
	p.Bad = p.color(ansi.Red)
	p.Busy = p.color(ansi.Cyan)
	return p
}

// Host is the ink of a host's own colour, given as "#rrggbb" or "".
func (p Palette) Host(hex string) Ink {
	rgb, err := strconv.ParseUint(strings.TrimPrefix(hex, "#"), 16, 24)
	if err != nil {
		return Ink{}
	}
	return p.color(color.RGBA{R: uint8(rgb >> 16), G: uint8(rgb >> 8), B: uint8(rgb), A: 0xff})
}

func (p Palette) color(c color.Color) Ink {
	if p.profile < colorprofile.ANSI {
		return Ink{}
	}
	return Ink{ansi.NewStyle().ForegroundColor(p.profile.Convert(c)).String()}
}

// Outcome is the ink and the mark of how a host ended. The mark and the outcome's own word always go together, so that
// nothing is said by colour alone.
func (p Palette) Outcome(o fleet.Outcome) (Ink, string) {
	switch o {
	case fleet.Switched, fleet.Built, fleet.Pulled:
		return p.Good, "✓"
	case fleet.Unchanged:
		return p.Good, "="
	case fleet.RebootNeeded:
		return p.Warn, "↻"
	case fleet.Degraded, fleet.RolledBack:
		return p.Warn, "!"
	case fleet.Failed:
		return p.Bad, "✗"
	case fleet.Unreachable, fleet.Unknown:
		return p.Bad, "?"
	}
	return p.Faint, "-"
}
