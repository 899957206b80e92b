package cli

import (
	"fmt"

	"github.com/markus-barta/nixfleet/fleet"
)

// quietPrinter prints warnings to standard error and nothing else. When the run is over,
// [printRows] prints its hosts.
type quietPrinter struct {
	env    *Env
	colors map[string]string // by host name
}

func (p *quietPrinter) Event(ev fleet.Event) {
	switch {
	case ev.Type != fleet.LogLine || ev.Stream != fleet.StreamWarn:
	case ev.Host == "":
		p.Note("warning: " + ev.Line)
	default:
		name := p.env.palette(p.env.ErrTTY).Host(p.colors[ev.Host]).Paint(ev.Host)
		fmt.Fprintf(p.env.Err, "%s: warning: %s\n", name, ev.Line)
	}
}

func (p *quietPrinter) Note(line string) { fmt.Fprintln(p.env.Err, "fleetctl:", line) }
func (p *quietPrinter) Aside(do func())  { do() }
func (p *quietPrinter) Close() error     { return nil }
