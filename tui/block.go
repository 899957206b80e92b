package tui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/markus-barta/nixfleet/fleet"
)

// block lays a run out as lines: a header, then a line a host.
type block struct {
	palette Palette
	inks    map[string]Ink
	width   int
}

func newBlock(p Palette, colors map[string]string) block {
	b := block{palette: p, inks: make(map[string]Ink, len(colors))}
	for name, hex := range colors {
		b.inks[name] = p.Host(hex)
	}
	return b
}

// render draws s into at most height lines, each ended by a newline. With more hosts than lines, those that are worked on come
// first, then what needs a person, and the last line counts the rest.
func (b *block) render(s *fleet.State, height int, now time.Time) string {
	if s.Start == nil || height < 1 {
		return ""
	}
	var out strings.Builder
	b.line(&out, b.header(s, now))
	hosts, room := s.Hosts, height-1
	var rest []*fleet.HostState
	if len(hosts) > room {
		hosts = slices.Clone(hosts)
		slices.SortStableFunc(hosts, func(x, y *fleet.HostState) int { return cmp.Compare(urgency(x), urgency(y)) })
		shown := max(room-1, 0)
		hosts, rest = hosts[:shown], hosts[shown:]
	}
	names := 0
	for _, h := range s.Hosts {
		names = max(names, ansi.StringWidth(h.Name))
	}
	for _, h := range hosts {
		b.line(&out, b.host(h, min(names, b.width/3), now))
	}
	if len(rest) > 0 && room > 0 {
		b.line(&out, b.palette.Faint.Paint(fmt.Sprintf("… %d more: %s", len(rest), counts(rest))))
	}
	return out.String()
}

func (b *block) line(out *strings.Builder, text string) {
	out.WriteString(ansi.Truncate(text, b.width, "…"))
	out.WriteByte('\n')
}

func (b *block) header(s *fleet.State, now time.Time) string {
	goal := s.Start.Goal
	if rev := Short(s.Start.Revision); rev != "" {
		goal += " to " + rev
	}
	elapsed := now.Sub(s.Began)
	if s.Summary != nil {
		elapsed = seconds(s.Summary.Seconds)
	}
	return fmt.Sprintf("%s  %s  %s  %s", b.palette.Strong.Paint(s.Start.Fleet), goal, clock(elapsed), counts(s.Hosts))
}

// urgency orders hosts for a window that is too low for all: the lower, the sooner a person wants to see it.
func urgency(h *fleet.HostState) int {
	switch {
	case h.Phase == fleet.Done && !h.Result.Outcome.Good():
		return 1
	case h.Phase == fleet.Done:
		return 3
	case h.Phase == fleet.Waiting:
		return 2
	}
	return 0
}

// Widths of the columns that do not depend on the fleet.
const (
	wordWidth  = 12 // "reconnecting"
	clockWidth = 6
	barWidth   = 8
	barsFrom   = 70 // columns; a narrower window has no room for bars
)

// host is a host's line: mark, name, what it is at, for how long, and what it said last.
func (b *block) host(h *fleet.HostState, names int, now time.Time) string {
	ink, mark, word := b.status(h)
	var elapsed string
	switch {
	case h.Result != nil:
		elapsed = clock(seconds(h.Result.Seconds))
	case !h.Began.IsZero():
		elapsed = clock(now.Sub(h.Began))
	}
	columns := []string{
		ink.Paint(mark),
		b.inks[h.Name].Paint(pad(h.Name, names)),
		ink.Paint(pad(word, wordWidth)),
		fmt.Sprintf("%*s", clockWidth, elapsed),
	}
	if b.width >= barsFrom {
		columns = append(columns, b.bar(h))
	}
	return strings.Join(append(columns, b.detail(h)), " ")
}

// status is what a host is at, as an ink, a mark and a word.
func (b *block) status(h *fleet.HostState) (ink Ink, mark, word string) {
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
func (b *block) bar(h *fleet.HostState) string {
	p := h.Progress
	done, expected := p.Builds+p.Copies, p.BuildsExpected+p.CopiesExpected
	if h.Phase == fleet.Done || h.Step != fleet.Build || expected == 0 {
		return strings.Repeat(" ", barWidth)
	}
	full := min(done*barWidth/expected, barWidth)
	return b.palette.Busy.Paint(strings.Repeat("━", full)) + b.palette.Faint.Paint(strings.Repeat("─", barWidth-full))
}

// detail is the end of a host's line, as long as there is room for it.
func (b *block) detail(h *fleet.HostState) string {
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
		return Short(r.Before) + " → " + Short(r.After)
	}
	return Short(r.After)
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
