package tui

import (
	"fmt"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
)

// brush draws a host at work. The block and the table share it, so that a state looks the same in both.
type brush struct {
	palette Palette
	inks    map[string]Ink // a host's own
	cells   [health.NumCells]string
}

func newBrush(p Palette, colors map[string]string) brush {
	b := brush{palette: p, cells: cellGlyphs(p), inks: make(map[string]Ink, len(colors))}
	for name, hex := range colors {
		b.inks[name] = p.Host(hex)
	}
	return b
}

// Widths of what does not depend on the fleet.
const (
	wordWidth  = 12 // "reconnecting"
	clockWidth = 6
	barWidth   = 8
)

// elapsed is for how long a host has been worked on, or was.
func elapsed(h *fleet.HostState, now time.Time) (d time.Duration, begun bool) {
	switch {
	case h.Result != nil:
		return seconds(h.Result.Seconds), true
	case !h.Began.IsZero():
		return now.Sub(h.Began), true
	}
	return 0, false
}

// status is what a host is at, as an ink, a mark and a word.
func (b *brush) status(h *fleet.HostState) (ink Ink, mark, word string) {
	switch h.Phase {
	case fleet.Done:
		ink, mark = b.palette.Outcome(h.Result.Outcome)
		return ink, mark, string(h.Result.Outcome)
	case fleet.Waiting:
		return b.palette.Faint, "·", "waiting"
	case fleet.Reconnecting:
		return b.palette.Warn, "~", "reconnecting"
	case fleet.Working:
		word = string(h.Step)
		if h.Step == fleet.Connect {
			word = "connected"
		}
		return b.palette.Busy, "▸", word
	}
	return b.palette.Busy, "▸", string(h.Phase)
}

// bar shows paths built and copied of those expected, or nothing where nothing is expected.
func (b *brush) bar(h *fleet.HostState) string {
	p := h.Progress
	done, expected := p.Builds+p.Copies, p.BuildsExpected+p.CopiesExpected
	if h.Phase == fleet.Done || h.Step != fleet.Build || expected == 0 {
		return strings.Repeat(" ", barWidth)
	}
	full := min(done*barWidth/expected, barWidth)
	return b.palette.Busy.Paint(strings.Repeat("━", full)) + b.palette.Faint.Paint(strings.Repeat("─", barWidth-full))
}

// detail is the end of a host's line, as long as there is room for it.
func (b *brush) detail(h *fleet.HostState) string {
	switch h.Phase {
	case fleet.Done:
		return ending(h.Result)
	case fleet.Waiting:
		return b.palette.Faint.Paint(fmt.Sprintf("wave %d", h.Wave))
	}
	said := h.LastLine
	if h.Step == fleet.Build {
		if p := progress(h.Progress); p != "" {
			said = p
		}
	}
	return b.palette.Faint.Paint(said)
}

func ending(r *fleet.Result) string {
	switch {
	case r.Reason != "":
		return r.Reason
	case r.After != "" && r.Before != "" && r.After != r.Before:
		return health.Short(r.Before) + " → " + health.Short(r.After)
	}
	return health.Short(r.After)
}

// progress says in words what a build has done of what it expects to.
func progress(p fleet.Progress) string {
	var parts []string
	if p.BuildsExpected > 0 {
		parts = append(parts, fmt.Sprintf("%d/%d built", p.Builds, p.BuildsExpected))
	}
	if p.CopiesExpected > 0 {
		parts = append(parts, fmt.Sprintf("%d/%d copied", p.Copies, p.CopiesExpected))
	}
	text := strings.Join(parts, ", ")
	if p.Building != "" {
		text = strings.TrimSpace(text + "  " + p.Building)
		if p.Phase != "" {
			text += " (" + p.Phase + ")"
		}
	}
	return text
}
