package cli

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

// printForecast is a host's part of a plan for a person.
func printForecast(env *Env, p *fleet.Plan, h *inventory.Host, f fleet.Forecast) error {
	ink := env.palette(env.OutTTY)
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	section := func(title string) { line("  %s", ink.Strong.Paint(title)) }

	line("%s %s", ink.Host(h.Color).Paint(h.Name), ink.Faint.Paint(fmt.Sprintf("(%s, wave %d)", h.Kind, h.Wave)))
	switch {
	case f.Err != nil && offline(f.Err) && h.SkipOffline:
		line("  %s: %s", ink.Faint.Paint("- away"), withoutName(f.Err.Error(), h))
	case f.Err != nil:
		line("  %s %s", ink.Bad.Paint("✗"), withoutName(f.Err.Error(), h))
		printHint(&b, ink, f.Err)
	case f.Problem != "":
		line("  %s a deploy would fail: %s", ink.Bad.Paint("✗"), f.Problem)
		if hint := f.Hint(); hint != "" {
			line("  %s %s", ink.Strong.Paint("hint:"), hint)
		}
	}
	if f.Err == nil && f.Head != "" {
		section(commitsTitle(f))
		for _, c := range f.Commits {
			line("    %s  %s  %s", health.Short(c.Revision), c.Subject, ink.Faint.Paint(fmt.Sprintf("%s, %s ago", c.Author, span(env.Now().Sub(c.Time)))))
		}
		if f.Problem == "" {
			for _, s := range p.Commands(h, f.Revision) {
				section(string(s.Step))
				for _, command := range s.Commands {
					line("    %s", command)
				}
				if s.Step == fleet.Build {
					line("    %s", ink.Faint.Paint(dryRun(f)))
				}
			}
		}
	}
	if f.Built != "" {
		section("what changes")
		for _, text := range differences(f.Foreseen) {
			line("    %s", text)
		}
	}
	line("")
	_, err := env.Out.Write(b.Bytes())
	return err
}

func commitsTitle(f fleet.Forecast) string {
	switch {
	case f.Behind == 0:
		return "the checkout is at " + health.Short(f.Head)
	case f.Behind > len(f.Commits):
		return fmt.Sprintf("%s from %s to %s, the newest of which are", count(f.Behind, "commit"), health.Short(f.Head), health.Short(f.Revision))
	}
	return fmt.Sprintf("%s from %s to %s", count(f.Behind, "commit"), health.Short(f.Head), health.Short(f.Revision))
}

// dryRun is what a build would take.
func dryRun(f fleet.Forecast) string {
	if len(f.Builds) == 0 && len(f.Fetches) == 0 {
		return "all of it is there already"
	}
	text := "would build " + count(len(f.Builds), "derivation")
	if len(f.Fetches) > 0 {
		text += ", download " + count(len(f.Fetches), "path")
	}
	if f.Download != "" {
		text += " (" + f.Download + ")"
	}
	return text
}

// differences are the changes of a closure and of units, a line each.
func differences(f remote.Foreseen) []string {
	if f.Built == f.From {
		return []string{"nothing: it already runs"}
	}
	var lines []string
	for _, c := range f.Changes {
		text := map[string]string{
			"up": "↑ up    ", "down": "↓ down  ", "new": "+ new   ", "gone": "- gone  ", "size": "± size  ",
		}[c.Word] + c.Package
		if c.Before != "" || c.After != "" {
			text += " " + strings.TrimSpace(c.Before+" → "+c.After)
		}
		if c.Size != "" {
			text += ", " + c.Size
		}
		lines = append(lines, text)
	}
	if len(lines) == 0 {
		lines = append(lines, "no package")
	}
	for _, u := range f.Units {
		lines = append(lines, u.Verb+" "+strings.Join(u.Units, " "))
	}
	return lines
}
