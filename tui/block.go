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

// block lays out a run as lines: a header, then one line per host.
type block struct {
	painter
	width int
}

func newBlock(p Palette, colors map[string]string) block {
	return block{painter: newPainter(p, colors)}
}

// render draws s into at most height lines, each ending in a newline. If there are more hosts than
// lines, those that the run is working on come first, then those that failed, and the last line
// counts the rest.
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
	nameWidth := 0
	for _, h := range s.Hosts {
		nameWidth = max(nameWidth, ansi.StringWidth(h.Name))
	}
	for _, h := range hosts {
		b.line(&out, b.host(h, min(nameWidth, b.width/3), now))
	}
	if len(rest) > 0 && room > 0 {
		b.line(&out, b.palette.Faint.Paint(fmt.Sprintf("… %d more: %s", len(rest), countHosts(rest))))
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
	return fmt.Sprintf("%s  %s  %s  %s", b.palette.Strong.Paint(s.Start.Fleet), goal, stopwatch(elapsed), countHosts(s.Hosts))
}

// urgency orders hosts in a window that is too low for all of them. A host with a lower value comes
// first.
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

// minBarWidth is the width of the narrowest window that has progress bars.
const minBarWidth = 70

// host returns a host's line: mark, name, state, elapsed time, and the last line of its log or its
// result.
func (b *block) host(h *fleet.HostState, nameWidth int, now time.Time) string {
	ink, mark, word := b.state(h)
	var clock string
	if d, started := elapsed(h, now); started {
		clock = stopwatch(d)
	}
	columns := []string{
		ink.Paint(mark),
		b.inks[h.Name].Paint(pad(h.Name, nameWidth)),
		ink.Paint(pad(word, wordWidth)),
		fmt.Sprintf("%*s", clockWidth, clock),
	}
	if b.width >= minBarWidth {
		columns = append(columns, b.bar(h))
	}
	return strings.Join(append(columns, b.detail(h)), " ")
}
