package tui

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
)

// painter draws the parts of a host's line. The block and the table share it, so that a state looks
// the same in both.
type painter struct {
	palette Palette
	inks    map[string]Ink          // the color of each host
	glyphs  [health.NumCells]string // painted once: every row has four of them
}

func newPainter(p Palette, colors map[string]string) painter {
	pt := painter{palette: p, inks: make(map[string]Ink, len(colors)), glyphs: [...]string{
		health.CellUnknown: p.Faint.Paint("?"),
		health.CellGood:    p.Good.Paint("✓"),
		health.CellBehind:  p.Warn.Paint("↓"),
		health.CellBroken:  p.Bad.Paint("✗"),
		health.CellBusy:    p.Busy.Paint("▸"),
		health.CellNone:    p.Faint.Paint("-"),
	}}
	for name, hex := range colors {
		pt.inks[name] = p.Host(hex)
	}
	return pt
}

// Widths that do not depend on the fleet.
const (
	wordWidth  = 12 // "reconnecting"
	clockWidth = 6
	barWidth   = 8
)

// elapsed returns how long the run has worked, or did work, on a host. It reports whether the run
// has started on it.
func elapsed(h *fleet.HostState, now time.Time) (d time.Duration, started bool) {
	switch {
	case h.Result != nil:
		return seconds(h.Result.Seconds), true
	case !h.Began.IsZero():
		return now.Sub(h.Began), true
	}
	return 0, false
}

// state returns a host's state in a run as an ink, a mark and a word.
func (pt *painter) state(h *fleet.HostState) (ink Ink, mark, word string) {
	switch h.Phase {
	case fleet.Done:
		ink, mark = pt.palette.Outcome(h.Result.Outcome)
		return ink, mark, string(h.Result.Outcome)
	case fleet.Waiting:
		return pt.palette.Faint, "·", "waiting"
	case fleet.Reconnecting:
		return pt.palette.Warn, "~", "reconnecting"
	case fleet.Working:
		word = string(h.Step)
		if h.Step == fleet.Connect {
			word = "connected"
		}
		return pt.palette.Busy, "▸", word
	}
	return pt.palette.Busy, "▸", string(h.Phase)
}

// bar returns a progress bar of the paths built and copied, or blanks if the run is not building on
// the host.
func (pt *painter) bar(h *fleet.HostState) string {
	if h.Phase == fleet.Done || h.Step != fleet.Build && h.Step != fleet.Copy || h.Progress.BuildsExpected+h.Progress.CopiesExpected == 0 {
		return strings.Repeat(" ", barWidth)
	}
	full := h.Built * barWidth / 1000
	return pt.palette.Busy.Paint(strings.Repeat("━", full)) + pt.palette.Faint.Paint(strings.Repeat("─", barWidth-full))
}

// detail returns the end of a host's line, of any length.
func (pt *painter) detail(h *fleet.HostState) string {
	switch h.Phase {
	case fleet.Done:
		return resultText(h.Result)
	case fleet.Waiting:
		return pt.palette.Faint.Paint(fmt.Sprintf("wave %d", h.Wave))
	}
	text := h.LastLine
	switch h.Step {
	case fleet.Build:
		text = cmp.Or(progressText(h.Progress), text)
	case fleet.Copy:
		text = cmp.Or(CopyText(h.Progress), text)
	}
	if h.Builder != "" && (h.Step == fleet.Pull || h.Step == fleet.Build) {
		text = "on " + h.Builder + ": " + text
	}
	return pt.palette.Faint.Paint(text)
}

// resultText returns the reason of a result, or the revisions before and after the run.
func resultText(r *fleet.Result) string {
	switch {
	case r.Reason != "":
		return health.ShortenPaths(r.Reason)
	case r.After != "" && r.Before != "" && r.After != r.Before:
		return health.Short(r.Before) + " → " + health.Short(r.After)
	}
	return health.Short(r.After)
}

// CopyText returns the progress of a copy from a builder in words: "12/40 paths, 45 of 120 MiB, 8.0
// MiB/s, 9 s left".
func CopyText(p fleet.Progress) string {
	const mib = 1 << 20
	if p.CopiesExpected == 0 {
		return ""
	}
	text := fmt.Sprintf("%d/%d paths", p.Copies, p.CopiesExpected)
	if p.BytesExpected > 0 {
		text += fmt.Sprintf(", %d of %d MiB", p.Bytes/mib, (p.BytesExpected+mib-1)/mib)
	}
	if p.Rate > 0 && p.Bytes < p.BytesExpected {
		left := time.Duration((p.BytesExpected-p.Bytes)/p.Rate) * time.Second
		text += fmt.Sprintf(", %.1f MiB/s, %v left", float64(p.Rate)/mib, left)
	}
	return text
}

// progressText returns a build's progress in words: "3/12 built, 41/120 copied linux-6.12.9
// (buildPhase)".
func progressText(p fleet.Progress) string {
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
