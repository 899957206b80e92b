package cli

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

// planText is a line of a host's part of a plan, before it is painted.
type planText struct {
	kind  planKind
	text  string
	aside string // the end of the line, which matters less
}

type planKind int

const (
	planLineOf planKind = iota // a line under a title
	planTitle
	planWrong // what would keep a deploy from its work
	planAway
	planHint
)

// forecastText is a host's part of a plan for a person.
func forecastText(now time.Time, p *fleet.Plan, h *inventory.Host, f host.Forecast) []planText {
	var lines []planText
	add := func(kind planKind, text, aside string) { lines = append(lines, planText{kind, text, aside}) }
	switch {
	case f.Err != nil && offline(f.Err) && h.SkipOffline:
		add(planAway, withoutName(f.Err.Error(), h), "")
	case f.Err != nil:
		add(planWrong, withoutName(f.Err.Error(), h), "")
		add(planHint, hintOf(f.Err), "")
	case f.Problem != "":
		add(planWrong, "a deploy would fail: "+f.Problem, "")
		add(planHint, f.Hint(), "")
	}
	if f.Err == nil && f.Head != "" {
		add(planTitle, commitsTitle(f), "")
		for _, c := range f.Commits {
			add(planLineOf, health.Short(c.Revision)+"  "+c.Subject, fmt.Sprintf("%s, %s ago", c.Author, span(now.Sub(c.Time))))
		}
		if f.Problem == "" {
			for _, s := range host.Commands(p, h, f.Revision) {
				add(planTitle, string(s.Step), "")
				for _, command := range s.Commands {
					add(planLineOf, command, "")
				}
				if s.Step == fleet.Build {
					add(planLineOf, "", dryRun(f))
				}
			}
		}
	}
	if f.Built != "" {
		add(planTitle, "what changes", "")
		for _, text := range differences(f.Foreseen) {
			add(planLineOf, text, "")
		}
	}
	return slices.DeleteFunc(lines, func(l planText) bool { return l.kind == planHint && l.text == "" })
}

// printForecast prints a host's part of a plan.
func printForecast(env *Env, p *fleet.Plan, h *inventory.Host, f host.Forecast) error {
	ink := env.palette(env.OutTTY)
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s\n", ink.Host(h.Color).Paint(h.Name), ink.Faint.Paint(fmt.Sprintf("(%s, wave %d)", h.Kind, h.Wave)))
	for _, l := range forecastText(env.Now(), p, h, f) {
		switch l.kind {
		case planTitle:
			b.WriteString("  " + ink.Strong.Paint(l.text))
		case planWrong:
			b.WriteString("  " + ink.Bad.Paint("✗") + " " + l.text)
		case planAway:
			b.WriteString("  " + ink.Faint.Paint("- away") + ": " + l.text)
		case planHint:
			b.WriteString("  " + ink.Strong.Paint("hint:") + " " + l.text)
		default:
			b.WriteString("    " + strings.Join(someOf(l.text, ink.Faint.Paint(l.aside)), "  "))
		}
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	_, err := env.Out.Write(b.Bytes())
	return err
}

// someOf are the texts that are not empty.
func someOf(texts ...string) []string {
	return slices.DeleteFunc(texts, func(text string) bool { return text == "" })
}

func commitsTitle(f host.Forecast) string {
	switch {
	case f.Behind == 0:
		return "the checkout is at " + health.Short(f.Head)
	case f.Behind > len(f.Commits):
		return fmt.Sprintf("%s from %s to %s, the newest of which are", count(f.Behind, "commit"), health.Short(f.Head), health.Short(f.Revision))
	}
	return fmt.Sprintf("%s from %s to %s", count(f.Behind, "commit"), health.Short(f.Head), health.Short(f.Revision))
}

// dryRun is what a build would take.
func dryRun(f host.Forecast) string {
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
