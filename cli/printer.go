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

// A printer shows a run while it is in progress. [tui.Live] is one.
type printer interface {
	Event(fleet.Event) // called in order, from one goroutine
	Note(line string)  // prints a message of fleetctl itself
	Aside(do func())   // calls do while the printer stays off the terminal
	Close() error      // returns the first write error
}

// A view holds the flags that decide how a command shows a run.
type view struct {
	output string
	quiet  bool
}

func (v *view) flags(f *pflag.FlagSet) {
	outputFlag(f, &v.output, "event")
	f.BoolVarP(&v.quiet, "quiet", "q", false, "print only one line per host, when the run is over; failures and warnings go to standard error")
}

// outputFlag declares --output. The noun says what one line of JSON describes.
func outputFlag(f *pflag.FlagSet, output *string, noun string) {
	*output = outputText
	f.VarP(&choice[string]{value: output, words: []string{outputText, outputJSON}}, "output", "o", "print text, or one JSON object per "+noun)
}

const (
	outputText = "text"
	outputJSON = "json"
)

// printer returns the printer for the kind of output. A printer that reads keys from the terminal
// calls interrupt when ctrl-c is pressed.
func (v *view) printer(env *Env, hosts []*inventory.Host, interrupt func()) printer {
	colors := colorsOf(hosts)
	switch {
	case v.output == outputJSON:
		return &jsonPrinter{env: env, lines: json.NewEncoder(env.Out)}
	case v.quiet:
		return &quietPrinter{env, colors}
	case env.OutTTY && env.Getenv("TERM") != "dumb":
		o := tui.Options{Out: env.Out, Environ: env.Environ, Profile: env.profile(env.OutTTY), Colors: colors, Now: env.Now, Interrupt: interrupt}
		if env.InTTY {
			o.In = env.In
		}
		return tui.Start(o)
	}
	p := newPlainPrinter(env, colors)
	if env.inGitHubActions() {
		p.groups = &logGroups{logs: make(map[string]*groupLog)}
	}
	return p
}

// profile returns the color profile of an output. It has no color if the output is not a terminal,
// or if NO_COLOR is set to a nonempty value (https://no-color.org).
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

// jsonLines returns an encoder that writes one value per line and does not escape <, > and &.
func jsonLines(w io.Writer) *json.Encoder {
	lines := json.NewEncoder(w)
	lines.SetEscapeHTML(false)
	return lines
}

// jsonPrinter prints one event per line.
type jsonPrinter struct {
	env   *Env
	lines *json.Encoder
	err   error // the first write error
}

func (p *jsonPrinter) Event(ev fleet.Event) {
	if err := p.lines.Encode(ev); p.err == nil {
		p.err = err
	}
}
func (p *jsonPrinter) Note(line string) { fmt.Fprintln(p.env.Err, "fleetctl:", line) }
func (p *jsonPrinter) Aside(do func())  { do() }
func (p *jsonPrinter) Close() error     { return p.err }
