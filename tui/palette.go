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
type Ink struct{ on string }

// newInk returns the ink of a style. It is made once: rendering a style costs more than a
// frame may for each of its cells.
func newInk(style lipgloss.Style) Ink {
	const text = "x"
	on, _, _ := strings.Cut(style.Render(text), text)
	return Ink{on}
}

// Paint returns s in this ink. s holds no escape sequences of its own.
func (i Ink) Paint(s string) string {
	if i.on == "" || s == "" {
		return s
	}
	return i.on + s + ansi.ResetStyle
}

// put appends s in this ink, and makes nothing on the way.
func (i Ink) put(out *strings.Builder, s string) {
	out.WriteString(i.on)
	out.WriteString(s)
	if i.on != "" {
		out.WriteString(ansi.ResetStyle)
	}
}

// Over returns s, which may hold other inks, with this one under all of it.
func (i Ink) Over(s string) string {
	if i.on == "" {
		return s
	}
	return i.on + strings.ReplaceAll(s, ansi.ResetStyle, ansi.ResetStyle+i.on) + ansi.ResetStyle
}

// Palette is the inks of one terminal, made once for what that terminal can show and for a theme.
// The zero Palette paints nothing.
type Palette struct {
	Good, Warn, Bad, Busy Ink
	Faint, Strong         Ink
	Here                  Ink // under the row of the cursor
	Match                 Ink // what was searched for
	Cursor                Ink // where typing goes

	profile colorprofile.Profile
}

// NewPalette makes the inks of [Terminal], for a terminal with a dark background. A profile of
// ASCII is a terminal without colors: bold and faint remain.
func NewPalette(profile colorprofile.Profile) Palette { return Terminal.Palette(profile, true) }

// Host returns the ink of a host's own color, given as "#rrggbb" or "".
func (p Palette) Host(hex string) Ink {
	rgb, err := strconv.ParseUint(strings.TrimPrefix(hex, "#"), 16, 24)
	if err != nil {
		return Ink{}
	}
	return p.color(hexColor(uint32(rgb)))
}

func (p Palette) color(c color.Color) Ink {
	if p.profile < colorprofile.ANSI {
		return Ink{}
	}
	return newInk(lipgloss.NewStyle().Foreground(p.profile.Convert(c)))
}

// Outcome returns the ink and the mark of how a host's part of a run ended. The mark and the
// outcome's own word always go together, so that nothing is said by color alone.
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

// State returns the ink and the mark of a host's state. As with [Palette.Outcome], the state's own
// word goes with them.
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
