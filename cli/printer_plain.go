package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/tui"
)

// plainPrinter prints one line per event, prefixed with the time since the run started and the
// host's name: for pipes, files and CI.
type plainPrinter struct {
	env     *Env
	palette tui.Palette
	colors  map[string]string // by host name
	width   int               // of the longest host name
	state   fleet.State
	now     time.Time      // of the event that is printed
	built   map[string]int // by host: the tenths of its build or copy that were printed
	groups  *logGroups     // nil if hosts' output is printed as it arrives
	err     error
}

func newPlainPrinter(env *Env, colors map[string]string) *plainPrinter {
	p := &plainPrinter{env: env, palette: env.palette(env.OutTTY), colors: colors, built: make(map[string]int)}
	for name := range colors {
		p.width = max(p.width, len(name))
	}
	return p
}

func (p *plainPrinter) Event(ev fleet.Event) {
	p.now = ev.Time
	p.state.Apply(ev)
	switch ev.Type {
	case fleet.RunStarted:
		p.line("run %s: %s", ev.Run, startText(ev.Start))
	case fleet.StepStarted:
		p.host(ev.Host, " ", "%s: started%s", ev.Step, p.where(ev))
	case fleet.StepFinished:
		result := "done"
		if ev.OK != nil && !*ev.OK {
			result = "failed"
		}
		p.host(ev.Host, " ", "%s: %s", ev.Step, result)
	case fleet.ProgressMade:
		p.progress(ev)
	case fleet.LogLine:
		p.logLine(ev)
	case fleet.FactLearned:
		p.fact(ev)
	case fleet.HostFinished:
		p.finished(ev)
	}
}

func (p *plainPrinter) logLine(ev fleet.Event) {
	switch {
	case ev.Stream == fleet.StreamWarn:
		p.host(ev.Host, " ", "%s %s", p.palette.Warn.Paint("warning:"), ev.Line)
	case ev.Stream == fleet.StreamNote:
		p.host(ev.Host, " ", "%s", ev.Line)
	case p.groups != nil && ev.Host != "":
		p.groups.add(ev.Host, p.clock()+ev.Line)
	default:
		p.host(ev.Host, "|", "%s", ev.Line)
	}
}

// progress prints how much of a build or of a copy is done, each tenth at most once.
func (p *plainPrinter) progress(ev fleet.Event) {
	if ev.Progress == nil {
		return
	}
	step := fleet.Build
	percent, text := buildProgress(*ev.Progress)
	if h := p.state.Host(ev.Host); h != nil && h.Step == fleet.Copy && ev.Progress.BytesExpected > 0 {
		step, text = h.Step, tui.CopyText(*ev.Progress)
		percent = int(100 * float64(ev.Progress.Bytes) / float64(ev.Progress.BytesExpected))
	}
	if percent/10 <= p.built[ev.Host] || percent >= 100 {
		return
	}
	p.built[ev.Host] = percent / 10
	p.host(ev.Host, " ", "%s: %d%% (%s)", step, percent, text)
}

// buildProgress returns how much of a build is done, in percent and in words: "2 of 5 built, 3 of 8
// copied".
func buildProgress(p fleet.Progress) (percent int, text string) {
	expected := p.BuildsExpected + p.CopiesExpected
	if expected <= 0 {
		return 0, ""
	}
	var parts []string
	if p.BuildsExpected > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d built", p.Builds, p.BuildsExpected))
	}
	if p.CopiesExpected > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d copied", p.Copies, p.CopiesExpected))
	}
	return int(100 * float64(p.Builds+p.Copies) / float64(expected)), strings.Join(parts, ", ")
}

// finished prints a host's outcome and how far its wave is.
func (p *plainPrinter) finished(ev fleet.Event) {
	p.built[ev.Host] = 0
	h := p.state.Host(ev.Host)
	if h == nil {
		p.host(ev.Host, " ", "%s", p.resultText(ev.Result))
		return
	}
	waves := make(map[int]bool)
	counts := make(map[fleet.Outcome]int)
	finished, all := 0, 0
	for _, other := range p.state.Hosts {
		waves[other.Wave] = true
		if other.Wave == h.Wave {
			all++
		}
		if other.Wave == h.Wave && other.Result != nil {
			finished++
			counts[other.Result.Outcome]++
		}
	}
	wave, many := "", len(waves) > 1
	if many {
		wave = fleet.WaveName(h.Wave) + ": "
	}
	p.host(ev.Host, " ", "%s [%s%d of %d, %d%%]", p.resultText(ev.Result), wave, finished, all, 100*finished/all)
	if p.groups != nil {
		p.groups.print(p, ev.Host, ev.Result)
	}
	if many && finished == all {
		p.line("%s finished: %s", fleet.WaveName(h.Wave), outcomeCounts(counts))
	}
}

// where returns the end of a line about a step that another host takes, or that takes something
// from there.
func (p *plainPrinter) where(ev fleet.Event) string {
	h := p.state.Host(ev.Host)
	switch {
	case h == nil, h.Builder == "":
	case ev.Step == fleet.Pull, ev.Step == fleet.Build:
		return " on " + h.Builder
	case ev.Step == fleet.Copy:
		p.built[ev.Host] = 0
		return " from " + h.Builder
	}
	return ""
}

// fact prints the few facts that matter while a run is in progress.
func (p *plainPrinter) fact(ev fleet.Event) {
	switch ev.Key {
	case fleet.FactReconnect:
		p.host(ev.Host, " ", "connection %s", ev.Value)
	case fleet.FactConfirmed:
		p.host(ev.Host, " ", "confirmed by: %s", ev.Value)
	}
}

// startText describes a run: "barta, switch to 3f9c2ab (branch try), 2 hosts in 2 waves".
func startText(s *fleet.Start) string {
	waves := make(map[int]bool)
	for _, h := range s.Hosts {
		waves[h.Wave] = true
	}
	text := fmt.Sprintf("%s, %s", s.Fleet, s.Goal)
	if s.Revision != "" {
		text += " to " + health.Short(s.Revision)
		if s.Named != "" && s.Named != s.Revision {
			text += fmt.Sprintf(" (%s)", health.TrialName(s.Named))
		}
	}
	text += ", " + count(len(s.Hosts), "host")
	if len(waves) > 1 {
		text += " in " + count(len(waves), "wave")
	}
	return text
}

func (p *plainPrinter) resultText(r *fleet.Result) string {
	ink, _ := p.palette.Outcome(r.Outcome)
	return fmt.Sprintf("%s%s (%.1f s)", ink.Paint(string(r.Outcome)), stepAndReason(r), r.Seconds)
}

// host prints a line about a host, or about the run if name is empty.
func (p *plainPrinter) host(name, mark, format string, args ...any) {
	if name == "" {
		p.line(format, args...)
		return
	}
	padding := strings.Repeat(" ", max(p.width-len(name), 0))
	p.line("%s%s %s %s", p.palette.Host(p.colors[name]).Paint(name), padding, mark, fmt.Sprintf(format, args...))
}

func (p *plainPrinter) line(format string, args ...any) {
	p.write(p.clock() + fmt.Sprintf(format, args...))
}

func (p *plainPrinter) write(line string) {
	if _, err := fmt.Fprintln(p.env.Out, line); p.err == nil {
		p.err = err
	}
}

// clock returns the time since the run started as a prefix of a line: " 1:05  ".
func (p *plainPrinter) clock() string {
	s := max(int(p.now.Sub(p.state.Began).Seconds()), 0)
	text := fmt.Sprintf("%d:%02d", s/60, s%60)
	if s >= 3600 {
		text = fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%5s  ", text)
}

func (p *plainPrinter) Note(line string) { fmt.Fprintln(p.env.Err, "fleetctl:", line) }
func (p *plainPrinter) Aside(do func())  { do() }

func (p *plainPrinter) Close() error {
	if p.groups != nil {
		for _, h := range p.state.Hosts {
			p.groups.print(p, h.Name, nil)
		}
	}
	return p.err
}
