package tui

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
)

// timeline is the line about the run in progress: its waves and how far it is.
type timeline struct {
	key  timelineKey
	text string
}

// timelineKey is everything that the text of a timeline depends on.
type timelineKey struct {
	version uint64 // of the runs
	layout  uint64
	second  int64
}

const (
	minTimelineHeight = 20 // of the lowest window with a timeline
	minProgressWidth  = 10
)

// hasTimeline reports whether there is a line about the run in progress: in a high window, if there
// is one run.
func (u *ui) hasTimeline() bool {
	return u.page.row == nil && !u.runsPage.open && !u.help.open && u.height >= minTimelineHeight && u.runs.activeCount() == 1
}

// drawTimeline draws the run in progress: what it does, each wave with the number of hosts by
// state, and how much is done.
func (u *ui) drawTimeline(out *strings.Builder) {
	key := timelineKey{version: u.runs.version, layout: u.layout, second: u.now.Unix()}
	if key != u.timeline.key {
		u.timeline = timeline{key, u.timelineText(u.runs.active()[0])}
	}
	out.WriteString(u.timeline.text)
	out.WriteByte('\n')
}

func (u *ui) timelineText(s *fleet.State) string {
	p := &u.palette
	text := p.Strong.Paint(s.Start.Goal)
	if s.Start.Revision != "" {
		text += " → " + health.Short(s.Start.Revision)
	}
	for _, w := range tallyWaves(s) {
		text += p.Faint.Paint("  wave ") + strconv.Itoa(w.number) + w.draw(p)
	}
	since := u.now.Sub(s.Began)
	if u.options.Settings.Calm {
		since = since.Truncate(time.Minute)
	}
	end := fmt.Sprintf("%3d%%  %s", u.runs.percent, stopwatch(since))
	room := u.width - ansi.StringWidth(end) - 2
	text = ansi.Truncate(text, room-minProgressWidth-2, "…")
	width := room - ansi.StringWidth(text) - 2
	if u.options.Settings.Calm {
		return text + strings.Repeat(" ", width+4) + end
	}
	full := min(u.runs.percent*width/100, width)
	return text + "  " + p.Busy.Paint(strings.Repeat("━", full)) + p.Faint.Paint(strings.Repeat("─", width-full)) + "  " + end
}

// waveTally is how many hosts of a wave are in which state.
type waveTally struct {
	number                              int
	good, warned, bad, working, waiting int
}

// tallyWaves counts the hosts of each wave, the first wave first.
func tallyWaves(s *fleet.State) []*waveTally {
	byNumber := map[int]*waveTally{}
	var waves []*waveTally
	for _, h := range s.Hosts {
		w := byNumber[h.Wave]
		if w == nil {
			w = &waveTally{number: h.Wave}
			byNumber[h.Wave] = w
			waves = append(waves, w)
		}
		switch {
		case h.Phase == fleet.Waiting:
			w.waiting++
		case h.Phase != fleet.Done:
			w.working++
		case h.Result.Outcome == fleet.Degraded, h.Result.Outcome == fleet.Skipped, h.Result.Outcome == fleet.Cancelled:
			w.warned++
		case h.Result.Outcome.Good():
			w.good++
		default:
			w.bad++
		}
	}
	slices.SortFunc(waves, func(a, b *waveTally) int { return a.number - b.number })
	return waves
}

// draw returns the numbers of hosts, each with the mark of its state.
func (w *waveTally) draw(p *Palette) string {
	text := ""
	add := func(ink Ink, mark string, n int) {
		if n > 0 {
			text += " " + ink.Paint(mark+strconv.Itoa(n))
		}
	}
	add(p.Good, "✓", w.good)
	add(p.Warn, "!", w.warned)
	add(p.Bad, "✗", w.bad)
	add(p.Busy, "▸", w.working)
	add(p.Faint, "·", w.waiting)
	return text
}
