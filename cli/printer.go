package cli

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/charmbracelet/colorprofile"
	"github.com/spf13/pflag"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/tui"
)

// printer shows a run while it goes on. A [tui.Live] is one.
type printer interface {
	Event(fleet.Event) // in order, from one goroutine
	Note(line string)  // fleetctl's own words
	Aside(do func())   // do needs the terminal
	Close() error
}

// view is how a command shows a run.
type view struct {
	output string
	quiet  bool
}

func (v *view) flags(f *pflag.FlagSet) {
	outputFlag(f, &v.output, "event")
	f.BoolVarP(&v.quiet, "quiet", "q", false, "omit the hosts' own output, which is in the run's record")
}

// outputFlag declares --output. what names the thing that JSON has a line for.
func outputFlag(f *pflag.FlagSet, output *string, what string) {
	choiceVar(f, output, "output", outputText, "print text, or one JSON object per "+what, outputText, outputJSON)
}

const (
	outputText = "text"
	outputJSON = "json"
)

// printer picks the one that fits where output goes. press is what it calls where ctrl-c comes as a key.
func (v *view) printer(env *Env, hosts []*inventory.Host, press func()) printer {
	colors := colorsOf(hosts)
	switch {
	case v.output == outputJSON:
		return &jsonPrinter{env: env, lines: json.NewEncoder(env.Out)}
	case env.OutTTY && env.Getenv("TERM") != "dumb":
		o := tui.Options{Out: env.Out, Environ: env.Environ, Profile: env.profile(env.OutTTY), Colors: colors, Now: env.Now, Interrupt: press}
		if env.InTTY {
			o.In = env.In
		}
		return tui.Start(o)
	}
	return newPlainPrinter(env, colors, v.quiet)
}

// profile is what a terminal can show: nothing where it is none, no colour where NO_COLOR is set to anything at all
// (https://no-color.org).
func (env *Env) profile(tty bool) colorprofile.Profile {
	switch {
	case !tty:
		return colorprofile.NoTTY
	case env.Getenv("NO_COLOR") != "":
		return min(colorprofile.Env(env.Environ), colorprofile.ASCII)
	}
	return colorprofile.Env(env.Environ)
}

func (env *Env) palette(tty bool) tui.Palette { return tui.NewPalette(env.profile(tty)) }

// jsonLines prints a value a line, with the characters that HTML has a use for as they are.
func jsonLines(w io.Writer) *json.Encoder {
	lines := json.NewEncoder(w)
	lines.SetEscapeHTML(false)
	return lines
}

// jsonPrinter prints an event a line.
type jsonPrinter struct {
	env   *Env
	lines *json.Encoder
	err   error // the first: whoever reads has gone
}

func (p *jsonPrinter) Event(ev fleet.Event) {
	if err := p.lines.Encode(ev); p.err == nil {
		p.err = err
	}
}
func (p *jsonPrinter) Note(line string) { fmt.Fprintln(p.env.Err, "fleetctl:", line) }
func (p *jsonPrinter) Aside(do func())  { do() }
func (p *jsonPrinter) Close() error     { return p.err }
