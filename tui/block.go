package tui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
)

// block lays a run out as lines: a header, then a line a host.
type block struct {
	brush
	width int
}

func newBlock(p Palette, colors map[string]string) block {
	return block{brush: newBrush(p, colors)}
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
	if rev := health.Short(s.Start.Revision); rev != "" {
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

// barsFrom is in columns: a narrower window has no room for bars.
const barsFrom = 70

// host is a host's line: mark, name, what it is at, for how long, and what it said last.
func (b *block) host(h *fleet.HostState, names int, now time.Time) string {
	ink, mark, word := b.status(h)
	var stopwatch string
	if d, begun := elapsed(h, now); begun {
		stopwatch = clock(d)
	}
	columns := []string{
		ink.Paint(mark),
		b.inks[h.Name].Paint(pad(h.Name, names)),
		ink.Paint(pad(word, wordWidth)),
		fmt.Sprintf("%*s", clockWidth, stopwatch),
	}
	if b.width >= barsFrom {
		columns = append(columns, b.bar(h))
	}
	return strings.Join(append(columns, b.detail(h)), " ")
}
