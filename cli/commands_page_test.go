package cli

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet/inventory"
)

var updatePage = flag.Bool("update", false, "write docs/commands.md")

// TestCommandsPageIsGenerated compares docs/commands.md with the help of the commands; with -update
// it writes the page.
func TestCommandsPageIsGenerated(t *testing.T) {
	const page = "../docs/commands.md"
	want := commandsPage(newRoot(newTestEnv(t).Env))
	if *updatePage {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if text, err := os.ReadFile(page); err != nil || string(text) != want {
		t.Errorf("%s does not match the help (%v): go test ./cli -run CommandsPage -update", page, err)
	}
}

// selectorExamples are selectors of hosts in the demo's inventory, and what they select.
var selectorExamples = [][2]string{
	{"hsb0", "the host of that name"},
	{"csb*", "names that match a pattern: `*`, `?`, `[abc]`, `[a-c]`, `[!a]`"},
	{"@server", "hosts with that tag; a pattern is possible here, too"},
	{"kind:home", "hosts of that kind"},
	{"wave:2", "hosts of that wave"},
	{"not @server", "all other hosts"},
	{"@server and not csb0", "hosts that match both"},
	{"hsb0 or csb0", "hosts that match one of them, as with `hsb0,csb0`"},
	{"(hsb0 or csb*) and @server", "parentheses group"},
}

func TestSelectorExamplesSelectHosts(t *testing.T) {
	inv, findings, err := inventory.Load("../hosts.toml")
	if err != nil || len(findings) > 0 {
		t.Fatal(err, findings)
	}
	for _, s := range selectorExamples {
		if hosts, err := inv.Select(s[0]); err != nil || len(hosts) == len(inv.Hosts) {
			t.Errorf("%s selects %d of %d hosts: %v", s[0], len(hosts), len(inv.Hosts), err)
		}
	}
}

// commandsPage returns the help of all commands as Markdown.
func commandsPage(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString("# Commands\n\nEvery command and flag. `fleetctl help COMMAND` prints the same, and so does the manual page.\n\n" +
		"This page is generated from the help: `go test ./cli -run CommandsPage -update`.\n")
	for _, group := range root.Groups() {
		fmt.Fprintf(&b, "\n| %s | |\n|---|---|\n", strings.ToLower(group.Title))
		for _, c := range root.Commands() {
			if c.IsAvailableCommand() && c.GroupID == group.ID {
				fmt.Fprintf(&b, "| [`fleetctl %s`](#fleetctl-%s) | %s |\n", c.Name(), c.Name(), markdown(c.Short))
			}
		}
	}
	b.WriteString("\n## Selectors\n\nA selector says which hosts a command is for. Several are separated by blanks or commas, and each adds hosts.\n\n" +
		"| selector | hosts |\n|---|---|\n")
	for _, s := range selectorExamples {
		fmt.Fprintf(&b, "| `%s` | %s |\n", s[0], s[1])
	}
	b.WriteString("\n`not` binds tighter than `and`, and `and` tighter than `or`. A name, a pattern or a tag that matches no host is an error: a\n" +
		"misspelled `not @laptpo` must not select the whole fleet. `--all` selects all hosts.\n")
	writeCommand(&b, root)
	return b.String()
}

func writeCommand(b *strings.Builder, c *cobra.Command) {
	about, status := cutStatus(c.Long)
	fmt.Fprintf(b, "\n## %s\n\n", c.CommandPath())
	use := c.UseLine()
	if !c.Runnable() {
		use = c.CommandPath() + " COMMAND"
	}
	fmt.Fprintf(b, "```\n%s\n```\n\n", use)
	writeParagraphs(b, about)
	sections := flagSections(c)
	for _, section := range sections {
		if section.title == globalFlags && c.HasParent() {
			continue // they are those of fleetctl
		}
		fmt.Fprintf(b, "\n| %s | |\n|---|---|\n", strings.ToLower(section.title))
		for _, row := range flagRows(section.flags) {
			fmt.Fprintf(b, "| `%s` | %s |\n", strings.ReplaceAll(strings.TrimSpace(row[0]), "|", `\|`), markdown(row[1]))
		}
	}
	b.WriteString("\nExit status:\n\n")
	for line := range strings.Lines(strings.TrimSpace(status)) {
		if m := statusLine.FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil {
			fmt.Fprintf(b, "- `%s`: %s\n", m[1], markdown(m[2]))
		} else {
			b.WriteString(markdown(strings.TrimRight(line, "\n")) + "\n")
		}
	}
	fmt.Fprintf(b, "\n```sh\n%s\n```\n", strings.ReplaceAll(strings.TrimPrefix(strings.TrimRight(c.Example, "\n"), "  "), "\n  ", "\n"))
	for _, sub := range c.Commands() {
		// The help of each shell's completion is cobra's.
		if sub.IsAvailableCommand() && c.Name() != "completion" {
			writeCommand(b, sub)
		}
	}
}

// writeParagraphs writes a help text. Its indented paragraphs become blocks of code.
func writeParagraphs(b *strings.Builder, text string) {
	for i, paragraph := range strings.Split(text, "\n\n") {
		if i > 0 {
			b.WriteByte('\n')
		}
		if strings.HasPrefix(paragraph, " ") || strings.HasPrefix(paragraph, "\t") {
			fmt.Fprintf(b, "```\n%s\n```\n", strings.TrimRight(paragraph, "\n"))
		} else {
			b.WriteString(markdown(paragraph) + "\n")
		}
	}
}

// markdown escapes text so that Markdown shows it as it is, also in a table.
func markdown(text string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "<", `\<`, "|", `\|`, "`", "\\`").Replace(text)
}
