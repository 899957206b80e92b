package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/tui"
)

// plainPrinter prints one line per event, prefixed with the host's name: for pipes, files and CI.
type plainPrinter struct {
	env     *Env
	palette tui.Palette
	colors  map[string]string // by host name
	quiet   bool
	width   int // of the longest host name
	err     error

	builders map[string]string    // by host, of those that others build for
	copies   map[string]time.Time // when the progress of a copy was last printed, by host
}

// copyInterval is the time between two lines about the progress of a copy.
const copyInterval = 10 * time.Second

func newPlainPrinter(env *Env, colors map[string]string, quiet bool) *plainPrinter {
	p := &plainPrinter{env: env, palette: env.palette(env.OutTTY), colors: colors, quiet: quiet}
	for name := range colors {
		p.width = max(p.width, len(name))
	}
	return p
}

func (p *plainPrinter) Event(ev fleet.Event) {
	switch ev.Type {
	case fleet.RunStarted:
		p.line("run %s: %s", ev.Run, startText(ev.Start))
		p.builders, p.copies = map[string]string{}, map[string]time.Time{}
		for _, h := range ev.Start.Hosts {
			p.builders[h.Name] = h.Builder
		}
	case fleet.StepStarted:
		p.host(ev.Host, " ", "%s: started%s", ev.Step, p.where(ev))
	case fleet.ProgressMade:
		p.progress(ev)
	case fleet.StepFinished:
		result := "done"
		if ev.OK != nil && !*ev.OK {
			result = "failed"
		}
		p.host(ev.Host, " ", "%s: %s", ev.Step, result)
	case fleet.LogLine:
		switch ev.Stream {
		case "warn":
			p.host(ev.Host, " ", "%s %s", p.palette.Warn.Paint("warning:"), ev.Line)
		case "note":
			p.host(ev.Host, " ", "%s", ev.Line)
		default:
			if !p.quiet {
				p.host(ev.Host, "|", "%s", ev.Line)
			}
		}
	case fleet.FactLearned:
		p.fact(ev)
	case fleet.HostFinished:
		p.host(ev.Host, " ", "%s", p.resultText(ev.Result))
	}
}

// where returns the end of a line about a step that another host takes, or that takes something
// from there.
func (p *plainPrinter) where(ev fleet.Event) string {
	builder := p.builders[ev.Host]
	switch {
	case builder == "":
	case ev.Step == fleet.Pull, ev.Step == fleet.Build:
		return " on " + builder
	case ev.Step == fleet.Copy:
		p.copies[ev.Host] = ev.Time
		return " from " + builder
	}
	return ""
}

// progress prints the progress of a copy, now and then.
func (p *plainPrinter) progress(ev fleet.Event) {
	last, copying := p.copies[ev.Host]
	if !copying || p.quiet || ev.Time.Sub(last) < copyInterval {
		return
	}
	if text := tui.CopyText(*ev.Progress); text != "" {
		p.copies[ev.Host] = ev.Time
		p.host(ev.Host, " ", "%s: %s", fleet.Copy, text)
	}
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
	if _, err := fmt.Fprintf(p.env.Out, format+"\n", args...); p.err == nil {
		p.err = err
	}
}

func (p *plainPrinter) Note(line string) { fmt.Fprintln(p.env.Err, "fleetctl:", line) }
func (p *plainPrinter) Aside(do func())  { do() }
func (p *plainPrinter) Close() error     { return p.err }
