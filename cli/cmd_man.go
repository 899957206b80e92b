package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func newMan(env *Env) *cobra.Command {
	return &cobra.Command{
		Use:   "man",
		Short: "Print the manual page",
		Long: `Print the manual page as roff.

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

// manPage returns the man(7) page of a command and its subcommands. It is made only from their help
// and has the date of the release, so that it changes only when the help does.
func manPage(root *cobra.Command) string {
	var b strings.Builder
	name := root.Name()
	fmt.Fprintf(&b, ".TH %s 1 %s \"%s %s\" \"User Commands\"\n", strings.ToUpper(name), releaseDate, name, release)
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", name, roff(strings.ToLower(root.Short[:1])+root.Short[1:]))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n.I COMMAND\n.RI [ ARGUMENT ...]\n", name)
	about, status := cutStatus(root.Long)
	b.WriteString(".SH DESCRIPTION\n")
	manText(&b, about)
	b.WriteString(".SH OPTIONS\n")
	root.PersistentFlags().VisitAll(func(f *pflag.Flag) { manFlag(&b, f) })
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
	manFlags(b, c)
	b.WriteString(".PP\nExit status:\n")
	manText(b, status)
	b.WriteString(".PP\nExamples:\n")
	manExample(b, c.Example)
	for _, sub := range c.Commands() {
		if c.Name() != "completion" { // cobra's help of each shell says how to install the script
			manCommand(b, sub)
		}
	}
}

// manText writes the paragraphs of a help text.
func manText(b *strings.Builder, text string) {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if m := statusLine.FindStringSubmatch(line); m != nil {
			fmt.Fprintf(b, ".TP\n.B %s\n%s\n", m[1], roff(m[2]))
		} else if line != "" {
			fmt.Fprintln(b, roff(line))
		} else if i+1 < len(lines) && !statusLine.MatchString(lines[i+1]) {
			// A status line starts a paragraph itself, with .TP.
			b.WriteString(".PP\n")
		}
	}
}

// manFlags writes the flags of a command, in the groups of its help if there are several.
func manFlags(b *strings.Builder, c *cobra.Command) {
	var sections []flagSection
	for _, section := range flagSections(c) {
		if section.title != globalFlags {
			sections = append(sections, section)
		}
	}
	for _, section := range sections {
		if len(sections) > 1 {
			fmt.Fprintf(b, ".PP\n%s:\n", roff(section.title))
		}
		for _, f := range section.flags {
			manFlag(b, f)
		}
	}
}

func manFlag(b *strings.Builder, f *pflag.Flag) {
	b.WriteString(".TP\n")
	if f.Shorthand != "" {
		fmt.Fprintf(b, "\\fB\\-%s\\fR, ", f.Shorthand)
	}
	fmt.Fprintf(b, "\\fB\\-\\-%s\\fR", roff(f.Name))
	if value := valueForm(f); value != "" {
		fmt.Fprintf(b, " \\fI%s\\fR", roff(value))
	}
	fmt.Fprintf(b, "\n%s\n", roff(flagText(f)))
}

func manExample(b *strings.Builder, text string) { fmt.Fprintf(b, ".EX\n%s\n.EE\n", roff(text)) }

// roff escapes text so that roff prints it as it is: no escapes, no requests, and hyphens that can
// be copied.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "\n.", "\n\\&.", "\n'", "\n\\&'").Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}
