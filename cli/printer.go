package cli

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/charmbracelet/colorprofile"
	"github.com/spf13/cobra"

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

func (v *view) flags(cmd *cobra.Command) {
	outputFlag(cmd, &v.output, "event")
	cmd.Flags().BoolVarP(&v.quiet, "quiet", "q", false, "leave the hosts' own output out; it is in the run's record")
}

// outputFlag declares --output; what is what JSON has a line for.
func outputFlag(cmd *cobra.Command, output *string, what string) {
	cmd.Flags().Var((*outputFormat)(output), "output", "print text, or json: one "+what+" a line on standard output")
	*output = outputText
}

const (
	outputText = "text"
	outputJSON = "json"
)

// outputFormat is a flag that knows its values.
type outputFormat string

func (f *outputFormat) String() string { return string(*f) }
func (f *outputFormat) Type() string   { return "format" }
func (f *outputFormat) Set(s string) error {
	if s != outputText && s != outputJSON {
		return fmt.Errorf("it is text or json")
	}
	*f = outputFormat(s)
	return nil
}

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
