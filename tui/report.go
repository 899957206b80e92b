package tui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
)

// report is a text about something that has finished: a run, or a command on several hosts. It has
// a tab beside the logs.
type report struct {
	title string
	lines []logLine // of any length
	run   string    // the ID of the run that it is about, or ""
	width int       // that the pane's lines are wrapped at
	pane  pane
}

// A text's streams beyond those of logs.
const (
	streamGood  = "good"
	streamBad   = "bad"
	streamFaint = "faint"
)

func newReport(title string, lines []logLine) *report {
	return &report{title: title, lines: lines, pane: pane{buffer: newLogBuffer(0), scrolled: true}}
}

// wrap wraps the lines at a width, so that nothing of them is cut. The wrapped part of a line
// starts below its text.
func (r *report) wrap(width int) {
	if r.width == width {
		return
	}
	r.width = width
	var all []logLine
	for _, l := range r.lines {
		indent := ansi.StringWidth(l.text) - ansi.StringWidth(strings.TrimLeft(l.text, " "))
		left := 0
		if l.host != "" {
			left = ansi.StringWidth(l.host) + 2
		}
		room := max(width-left-indent, minDetailWidth)
		for i, part := range strings.Split(ansi.Wrap(strings.TrimLeft(l.text, " "), room, ""), "\n") {
			part = strings.Repeat(" ", indent) + part
			if i > 0 {
				part, l.host = strings.Repeat(" ", left)+part, ""
			}
			l.text = part
			all = append(all, l)
		}
	}
	buffer := newLogBuffer(len(all))
	for _, l := range all {
		buffer.push(l)
	}
	r.pane.buffer = buffer
	r.pane.top = min(r.pane.top, max(len(all)-1, 0))
}

// reportBuilder builds the lines of a report.
type reportBuilder struct {
	lines     []logLine
	nameWidth int // of the widest name
}

func (b *reportBuilder) add(stream, text string) {
	b.lines = append(b.lines, logLine{stream: stream, text: text})
}

// host adds a line that starts with the name of a host.
func (b *reportBuilder) host(name, stream, text string) {
	gap := strings.Repeat(" ", max(b.nameWidth-ansi.StringWidth(name), 0))
	b.lines = append(b.lines, logLine{host: name, stream: stream, text: gap + text})
}

// under adds a line below the text of a host's line.
func (b *reportBuilder) under(stream, text string) {
	b.add(stream, strings.Repeat(" ", b.nameWidth+4)+text)
}

// runReport reports how a run ended: the numbers of hosts, what failed and why, and what has
// changed on the others.
func runReport(s *fleet.State) *report {
	var b reportBuilder
	for _, h := range s.Hosts {
		b.nameWidth = max(b.nameWidth, ansi.StringWidth(h.Name))
	}
	summary := s.Summary
	if summary == nil { // it was abandoned, or is in progress
		now := s.Summarize()
		summary = &now
	}
	stream := streamGood
	if summary.ExitCode != fleet.ExitOK {
		stream = streamBad
	}
	b.add("note", runTitle(s)+", "+stopwatch(seconds(summary.Seconds)))
	b.add(stream, countHosts(s.Hosts))
	for _, text := range summary.Warnings {
		b.add("warn", "warning: "+text)
	}
	b.failures(s)
	b.successes(s)
	r := newReport("run "+shortRun(s.Run), b.lines)
	r.run = s.Run
	return r
}

// runTitle returns what a run does: "switch of 9 hosts to 5ca3034 by mba@imac0".
func runTitle(s *fleet.State) string {
	text := s.Start.Goal + " of " + plural(len(s.Hosts), "host")
	if s.Start.Revision != "" {
		text += " to " + health.Short(s.Start.Revision)
	}
	return text + " by " + s.Start.Operator
}

// shortRun returns the last part of a run's ID, which is enough to name it.
func shortRun(run string) string { return run[strings.LastIndexByte(run, '-')+1:] }

// failures adds the hosts on which the run did not end well, with the reason, the log lines that
// explain it, and what to do.
func (b *reportBuilder) failures(s *fleet.State) {
	for _, h := range s.Hosts {
		r := h.Result
		if r == nil || r.Outcome.Good() {
			continue
		}
		_, mark := (&Palette{}).Outcome(r.Outcome)
		text := mark + " " + string(r.Outcome)
		if r.Step != "" {
			text += " in " + string(r.Step)
		}
		if reason := strings.TrimPrefix(r.Reason, string(r.Step)+": "); reason != "" {
			text += ": " + health.ShortenPaths(reason)
		}
		b.add("", "")
		stream := streamBad
		if r.Outcome == fleet.Degraded || r.Outcome == fleet.RolledBack {
			stream = "warn"
		}
		b.host(h.Name, stream, text)
		for _, line := range fleet.Excerpt(h.Tail) {
			b.under(streamFaint, health.ShortenPaths(line))
		}
		if r.Hint != "" {
			b.under("", "hint: "+r.Hint)
		}
	}
}

// successes adds the hosts on which the run ended well: first those that have changed, each with
// its revisions, and then the names of the others by outcome and reason.
func (b *reportBuilder) successes(s *fleet.State) {
	type end struct{ outcome, reason string }
	blank := false
	rest := make(map[end][]string)
	var ends []end // in the order of their first hosts
	for _, h := range s.Hosts {
		r := h.Result
		switch {
		case r == nil || !r.Outcome.Good():
			continue
		case r.Before == r.After || r.After == "" || r.Before == "":
			at := end{string(r.Outcome), health.ShortenPaths(r.Reason)}
			if rest[at] == nil {
				ends = append(ends, at)
			}
			rest[at] = append(rest[at], h.Name)
			continue
		}
		if !blank {
			b.add("", "")
			blank = true
		}
		_, mark := (&Palette{}).Outcome(r.Outcome)
		b.host(h.Name, streamGood, fmt.Sprintf("%s %s  %s  %s", mark, pad(string(r.Outcome), 9), resultText(r), stopwatch(seconds(r.Seconds))))
		if r.Changes != nil {
			b.under(streamFaint, r.Changes.Totals())
		}
	}
	for _, at := range ends {
		_, mark := (&Palette{}).Outcome(fleet.Outcome(at.outcome))
		text := fmt.Sprintf("%s %s: %s", mark, at.outcome, strings.Join(rest[at], ", "))
		if at.reason != "" {
			text += " (" + at.reason + ")"
		}
		b.add("", "")
		b.add("", text)
	}
}
