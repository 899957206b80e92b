package cli

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func newMan(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:   "man",
		Short: "Print the manual page",
		Long: `Print the manual page, as roff.

EXIT STATUS

0  always`,
		Example: "  fleetctl man | man -l -",
		Args:    arguments(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := io.WriteString(env.Out, manPage(c.Root()))
			return err
		},
	}
}

// manPage is man(7) for a command and those below it, made of their help alone: so its date is the version's, and it
// changes only where the help does.
func manPage(root *cobra.Command) string {
	var b strings.Builder
	name := root.Name()
	fmt.Fprintf(&b, ".TH %s 1 %s \"%s %s\" \"User Commands\"\n", strings.ToUpper(name), releasedOn, name, release)
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", name, roff(strings.ToLower(root.Short[:1])+root.Short[1:]))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n.I COMMAND\n.RI [ ARGUMENT ...]\n", name)
	about, status := cutStatus(root.Long)
	b.WriteString(".SH DESCRIPTION\n")
	manText(&b, about)
	b.WriteString(".SH OPTIONS\n")
	manFlags(&b, root.PersistentFlags())
	b.WriteString(".SH COMMANDS\n")
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			manCommand(&b, c)
		}
	}
	b.WriteString(".SH EXIT STATUS\n")
	manText(&b, status)
	b.WriteString(".SH EXAMPLES\n")
	manExample(&b, root.Example)
	return b.String()
}

func manCommand(b *strings.Builder, c *cobra.Command) {
	about, status := cutStatus(c.Long)
	fmt.Fprintf(b, ".SS %s %s\n", c.Parent().CommandPath(), roff(c.Use))
	manText(b, about)
	manFlags(b, c.NonInheritedFlags())
	b.WriteString(".PP\nExit status:\n")
	manText(b, status)
	b.WriteString(".PP\nExamples:\n")
	manExample(b, c.Example)
	for _, sub := range c.Commands() {
		if c.Name() != "completion" { // whose shells cobra describes, each with how to install it
			manCommand(b, sub)
		}
	}
}

// cutStatus parts a help text from the EXIT STATUS that it ends in.
func cutStatus(help string) (about, status string) {
	about, status, _ = strings.Cut(help, "\n\nEXIT STATUS\n\n")
	return about, status
}

// statusLine is a line of an EXIT STATUS: "3  no host failed, some could not be reached".
var statusLine = regexp.MustCompile(`^(\d+)  (.*)$`)

// manText writes the paragraphs of a help text.
func manText(b *strings.Builder, text string) {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if m := statusLine.FindStringSubmatch(line); m != nil {
			fmt.Fprintf(b, ".TP\n.B %s\n%s\n", m[1], roff(m[2]))
		} else if line != "" {
			fmt.Fprintln(b, roff(line))
		} else if i+1 < len(lines) && !statusLine.MatchString(lines[i+1]) { // that begins a paragraph itself
			b.WriteString(".PP\n")
		}
	}
}

func manFlags(b *strings.Builder, flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" || f.Name == "version" {
			return
		}
		value, words := pflag.UnquoteUsage(f)
		b.WriteString(".TP\n")
		if f.Shorthand != "" {
			fmt.Fprintf(b, "\\fB\\-%s\\fR, ", f.Shorthand)
		}
		fmt.Fprintf(b, "\\fB\\-\\-%s\\fR", roff(f.Name))
		if value != "" {
			fmt.Fprintf(b, " \\fI%s\\fR", roff(value))
		}
		fmt.Fprintf(b, "\n%s\n", roff(words))
	})
}

func manExample(b *strings.Builder, text string) { fmt.Fprintf(b, ".EX\n%s\n.EE\n", roff(text)) }

// roff makes text mean itself: what roff would take for an escape, a request, or a typographer's hyphen.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "\n.", "\n\\&.", "\n'", "\n\\&'").Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}
