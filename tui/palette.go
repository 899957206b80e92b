package tui

import (
	"image/color"
	"strconv"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
)

// Ink is one way to paint text. The zero Ink leaves text as it is.
type Ink struct {
	on       string
	reversed bool // swaps the colors of the text, so text in several inks would be a patchwork
}

// newInk finds once what a style puts before a text: rendering a style for each cell of a frame
// would be too slow.
func newInk(style lipgloss.Style) Ink {
	const text = "x"
	on, _, _ := strings.Cut(style.Render(text), text)
	return Ink{on: on}
}

// Paint returns s in this ink. s must not contain escape sequences.
func (i Ink) Paint(s string) string {
	if i.on == "" || s == "" {
		return s
	}
	return i.on + s + ansi.ResetStyle
}

// put appends s in this ink without allocating.
func (i Ink) put(out *strings.Builder, s string) {
	out.WriteString(i.on)
	out.WriteString(s)
	if i.on != "" {
		out.WriteString(ansi.ResetStyle)
	}
}

// Over returns s, which may contain other inks, with this one as the background of all of it. Under
// a reversed ink, the others are removed.
func (i Ink) Over(s string) string {
	switch {
	case i.on == "":
		return s
	case i.reversed:
		return i.Paint(ansi.Strip(s))
	}
	return i.on + strings.ReplaceAll(s, ansi.ResetStyle, ansi.ResetStyle+i.on) + ansi.ResetStyle
}

// Palette holds the inks of a theme for what a terminal can show. The zero Palette paints nothing.
type Palette struct {
	Good, Warn, Bad, Busy Ink
	Faint, Strong         Ink
	Here                  Ink // the background of the cursor's row
	Match                 Ink // text that matches the search
	Cursor                Ink // in a text that is typed

	profile     colorprofile.Profile
	backgrounds []color.Color // under text, of the screen and of the cursor's row; nil if not known
	extreme     color.Color   // white on dark backgrounds, black on light ones
}

// NewPalette returns the inks of [Terminal] for an unknown background. A terminal with the profile
// ASCII has no colors, only bold and faint.
func NewPalette(profile colorprofile.Profile) Palette {
	p := Terminal.Palette(profile, true)
	p.backgrounds = nil
	return p
}

// Host returns the ink of a host's color, which is "#rrggbb" or "". The ink is lighter or darker
// than the color if that is necessary to be legible.
func (p Palette) Host(hex string) Ink {
	rgb, err := strconv.ParseUint(strings.TrimPrefix(hex, "#"), 16, 24)
	if err != nil {
		return Ink{}
	}
	return p.color(p.legible(hexColor(uint32(rgb))))
}

func (p Palette) color(c color.Color) Ink {
	if p.profile < colorprofile.ANSI {
		return Ink{}
	}
	return newInk(lipgloss.NewStyle().Foreground(p.profile.Convert(c)))
}

// Outcome returns the ink and the mark of an outcome. The mark is always shown with the outcome's
// name, so that nothing depends on color only.
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

// State returns the ink and the mark of a host's state. As with [Palette.Outcome], the mark is
// shown with the state's name.
func (p Palette) State(s health.State) (Ink, string) {
	switch s {
	case health.StateWorking:
		return p.Busy, "▸"
	case health.StateFailed, health.StateUnknownKey, health.StateRefused:
		return p.Bad, "✗"
	case health.StateOffline:
		return p.Bad, "?"
	case health.StateDegraded:
		return p.Warn, "!"
	case health.StateDiverged:
		return p.Warn, "↕"
	case health.StateDirty, health.StateWrongBranch, health.StateOtherLock:
		return p.Warn, "~"
	case health.StateBehind:
		return p.Warn, "↓"
	case health.StateReboot:
		return p.Warn, "↻"
	case health.StateWaiting:
		return p.Faint, "·"
	case health.StateUnknown:
		return p.Faint, "?"
	case health.StateCurrent:
		return p.Good, "✓"
	}
	return p.Faint, "-"
}
