package cli

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/markus-barta/nixfleet/tui"
)

const (
	helpWidth    = 80  // if the width of the terminal is not known
	maxHelpWidth = 100 // longer lines are hard to read
)

// printHelp prints the help of a command: what it does, how it is called, its commands or flags,
// its exit status and examples.
func printHelp(env *Env, c *cobra.Command) error {
	h := &helpPrinter{width: env.helpWidth(), ink: env.palette(env.OutTTY), powershell: c.Name() == "powershell"}
	about, status := cutStatus(c.Long)
	h.text(about)
	h.usage(c)
	h.commands(c)
	for _, section := range flagSections(c) {
		h.heading(section.title)
		h.columns(flagRows(section.flags))
	}
	h.heading("Exit status")
	h.exitStatus(status)
	h.heading("Examples")
	for line := range strings.Lines(strings.TrimRight(c.Example, "\n") + "\n") {
		h.command(strings.TrimRight(line, "\n"), h.continued())
	}
	_, err := io.WriteString(env.Out, h.b.String())
	return err
}

// helpWidth returns how wide help may be: as wide as the terminal that it is shown on. If it goes
// through a pipe, perhaps to a pager, that is $COLUMNS or the width of the terminal that standard
// error still is.
func (env *Env) helpWidth() int {
	width := env.width()
	if columns, err := strconv.Atoi(env.Getenv("COLUMNS")); width == 0 && err == nil && columns > 0 {
		width = columns
	}
	if width == 0 {
		width = env.errWidth()
	}
	if width == 0 {
		width = helpWidth
	}
	return min(width, maxHelpWidth)
}

// helpPrinter lays help out for a width.
type helpPrinter struct {
	width      int
	ink        tui.Palette
	powershell bool // examples are for this shell
	b          strings.Builder
}

// continued returns what ends a line of an example that continues on the next one.
func (h *helpPrinter) continued() string {
	if h.powershell {
		return " `"
	}
	return ` \`
}

func (h *helpPrinter) heading(title string) {
	h.b.WriteString("\n" + h.ink.Strong.Paint(strings.ToUpper(title)) + "\n")
}

// text prints the paragraphs of a help text, each wrapped to the width. Lines that begin with a
// blank are commands.
func (h *helpPrinter) text(text string) {
	for i, paragraph := range strings.Split(text, "\n\n") {
		if i > 0 {
			h.b.WriteByte('\n')
		}
		if strings.HasPrefix(paragraph, " ") || strings.HasPrefix(paragraph, "\t") {
			for line := range strings.Lines(paragraph) {
				h.command(strings.ReplaceAll(strings.TrimRight(line, "\n"), "\t", "  "), h.continued())
			}
			continue
		}
		h.wrap(paragraph, 0)
	}
}

// wrap prints text in lines that are indented to a column. The caller has indented the first.
func (h *helpPrinter) wrap(text string, column int) {
	for i, line := range wrapped(text, max(h.width-column, 20)) {
		if i > 0 {
			h.b.WriteString(strings.Repeat(" ", column))
		}
		h.b.WriteString(line + "\n")
	}
}

// wrapped breaks text at blanks into lines of a width. A longer word has a line of its own.
func wrapped(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case ansi.StringWidth(line)+1+ansi.StringWidth(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}

func (h *helpPrinter) usage(c *cobra.Command) {
	h.heading("Usage")
	if c.Runnable() {
		h.command("  "+c.UseLine(), "")
	}
	if c.HasAvailableSubCommands() {
		h.b.WriteString("  " + c.CommandPath() + " COMMAND\n")
	}
}

// command prints a command line. One that is too long is broken at blanks outside of quotes; each
// line but the last gets the end that a shell requires for that.
func (h *helpPrinter) command(line, end string) {
	text := strings.TrimLeft(line, " ")
	indent := line[:len(line)-len(text)]
	out := indent
	for i, word := range shellWords(text) {
		switch {
		case i == 0:
			out += word
		case ansi.StringWidth(out)+1+ansi.StringWidth(word)+len(end) <= h.width:
			out += " " + word
		default:
			h.b.WriteString(out + end + "\n")
			out = indent + "    " + word
		}
	}
	h.b.WriteString(out + "\n")
}

// shellWords splits a command line at blanks that are not quoted.
func shellWords(line string) []string {
	var words []string
	start, quote := 0, rune(0)
	for i, r := range line {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '\'' || r == '"':
			quote = r
		case r == ' ':
			words = append(words, line[start:i])
			start = i + 1
		}
	}
	return append(words, line[start:])
}

func (h *helpPrinter) commands(c *cobra.Command) {
	rows := make(map[string][][2]string)
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			rows[sub.GroupID] = append(rows[sub.GroupID], [2]string{sub.Use, sub.Short})
		}
	}
	for _, group := range append(slices.Clone(c.Groups()), &cobra.Group{Title: "Commands"}) {
		if rows[group.ID] != nil {
			h.heading(group.Title)
			h.columns(rows[group.ID])
		}
	}
}

// flagRows returns the forms and the descriptions of flags.
func flagRows(flags []*pflag.Flag) [][2]string {
	shorthands := slices.ContainsFunc(flags, func(f *pflag.Flag) bool { return f.Shorthand != "" })
	var rows [][2]string
	for _, f := range flags {
		form := "--" + f.Name
		if f.Shorthand != "" {
			form = "-" + f.Shorthand + ", " + form
		} else if shorthands {
			form = "    " + form
		}
		if value := valueForm(f); value != "" {
			form += " " + value
		}
		rows = append(rows, [2]string{form, flagText(f)})
	}
	return rows
}

// flagText returns a flag's description with its default.
func flagText(f *pflag.Flag) string {
	_, text := pflag.UnquoteUsage(f)
	switch f.DefValue {
	case "", "0", "false":
		return text
	}
	return text + " (default " + f.DefValue + ")"
}

// columns prints rows of two columns. The second is wrapped; it begins on a line of its own if the
// first is too wide for that.
func (h *helpPrinter) columns(rows [][2]string) {
	const indent, gap, widest, narrow = 2, 2, 32, 60
	column := 0
	for _, row := range rows {
		if width := indent + len(row[0]) + gap; width <= widest {
			column = max(column, width)
		}
	}
	if column == 0 || h.width < narrow {
		column = 6
	}
	for _, row := range rows {
		left := strings.Repeat(" ", indent) + row[0]
		if name, value, ok := strings.Cut(left, " --"); ok && len(left) > h.width { // a flag
			flag, form, _ := strings.Cut(value, " ")
			h.b.WriteString(name + " --" + flag + "\n")
			left = strings.Repeat(" ", column) + form
		}
		h.b.WriteString(left)
		if len(left)+gap > column {
			h.b.WriteString("\n" + strings.Repeat(" ", column))
		} else {
			h.b.WriteString(strings.Repeat(" ", column-len(left)))
		}
		h.wrap(row[1], column)
	}
}

// exitStatus prints the codes of an EXIT STATUS and what it says besides.
func (h *helpPrinter) exitStatus(text string) {
	for _, paragraph := range strings.Split(text, "\n\n") {
		var rows [][2]string
		for line := range strings.Lines(paragraph) {
			if m := statusLine.FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil {
				rows = append(rows, [2]string{m[1], m[2]})
			}
		}
		if rows != nil {
			h.columns(rows)
		} else {
			h.b.WriteString("  ")
			h.wrap(paragraph, 2)
		}
	}
}

// cutStatus splits a help text into the description and the EXIT STATUS at its end.
func cutStatus(help string) (about, status string) {
	about, status, _ = strings.Cut(help, "\n\nEXIT STATUS\n\n")
	return about, status
}

// statusLine is a line of an EXIT STATUS: "3  no host failed, but some could not be reached".
var statusLine = regexp.MustCompile(`^(\d+)  (.*)$`)

// newHelp returns a help command like cobra's, except that an unknown command is an error.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Show help for a command",
		Long: `Show help for a command, as --help does.

EXIT STATUS

0  the help was printed
2  there is no such command`,
		Example: "  fleetctl help deploy\n  fleetctl help history compare",
		ValidArgsFunction: func(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			var names []cobra.Completion
			if parent, _, err := c.Root().Find(args); err == nil {
				for _, sub := range parent.Commands() {
					if sub.IsAvailableCommand() {
						names = append(names, cobra.CompletionWithDesc(sub.Name(), sub.Short))
					}
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			command, rest, err := c.Root().Find(args)
			if err == nil {
				err = unknownCommand(command, rest)
			}
			if err != nil {
				return err
			}
			command.InitDefaultHelpFlag() // so that the help lists it
			command.InitDefaultVersionFlag()
			return command.Help()
		},
	}
}

const bashHelp = `Print the completion script for bash. It works in bash 3.2 and later, also without the package
bash-completion.

This line loads it into the current shell, and into every new one if it is in ~/.bashrc:

	eval "$(fleetctl completion bash)"

With the package bash-completion, a file is loaded when it is needed:

	fleetctl completion bash >~/.local/share/bash-completion/completions/fleetctl
`

// describeCompletion gives cobra's completion command the help and the errors of the other
// commands.
func describeCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() != "completion" {
			continue
		}
		c.Short = "Print a shell's completion script"
		c.Long = `Print the script with which a shell completes the commands, flags, hosts and runs of
fleetctl. The --help of each shell says how to install it.

EXIT STATUS

0  the script was printed
2  there is no such shell`
		c.Example = "  fleetctl completion fish >~/.config/fish/completions/fleetctl.fish\n  fleetctl completion bash --help"
		c.Args = unknownCommand
		c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
		for _, shell := range c.Commands() {
			shell.Example = fmt.Sprintf("  fleetctl completion %s", shell.Name())
			if shell.Name() == "bash" {
				shell.Long = bashHelp
				shell.RunE = func(c *cobra.Command, _ []string) error {
					plain, err := c.Flags().GetBool("no-descriptions")
					return errors.Join(err, printBashCompletion(c, !plain))
				}
			}
			shell.Long = strings.TrimRight(shell.Long, "\n") + "\n\nEXIT STATUS\n\n0  the script was printed"
		}
	}
}
