package cli

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
	"github.com/markus-barta/nixfleet/internal/hint"
)

// planText is a line of a host's plan without colors.
type planText struct {
	kind   planKind
	text   string
	detail string // printed faintly after text
}

type planKind int

const (
	planItem planKind = iota // a line under a title
	planTitle
	planProblem // why a deploy would fail, or cannot be previewed
	planWarning
	planAway
	planHint
)

// previewText returns the plan of a host as lines of text.
func previewText(now time.Time, p *fleet.Plan, h *inventory.Host, f host.Preview) []planText {
	var lines []planText
	add := func(kind planKind, text, detail string) { lines = append(lines, planText{kind, text, detail}) }
	switch {
	case f.Err != nil && offline(f.Err) && h.SkipOffline:
		add(planAway, withoutName(f.Err.Error(), h), "")
	case f.Err != nil:
		add(planProblem, withoutName(f.Err.Error(), h), "")
		add(planHint, hint.Of(f.Err), "")
	case f.Code == string(fleet.CodeNoClone):
		add(planProblem, "no preview: "+f.Problem, "")
		add(planHint, f.Hint(), "")
	case f.Problem != "":
		add(planProblem, "a deploy would fail: "+f.Problem, "")
		add(planHint, f.Hint(), "")
	}
	for _, warning := range f.Warnings {
		add(planWarning, warning, "")
	}
	if f.Err == nil && f.Head != "" {
		add(planTitle, commitsTitle(f), "")
		for _, c := range f.Commits {
			add(planItem, health.Short(c.Revision)+"  "+c.Subject, fmt.Sprintf("%s, %s ago", c.Author, span(now.Sub(c.Time))))
		}
		if f.Problem == "" {
			for _, s := range host.PlannedSteps(p, h, f.Revision) {
				title := string(s.Step)
				if s.On != "" {
					title += " on " + s.On
				}
				add(planTitle, title, "")
				for _, command := range s.Commands {
					add(planItem, command, "")
				}
				if s.Step == fleet.Build {
					add(planItem, "", dryRun(f))
				}
			}
		}
	}
	if f.Built != "" {
		add(planTitle, "what changes", "")
		for _, text := range differences(f.Preview) {
			add(planItem, text, "")
		}
	}
	return slices.DeleteFunc(lines, func(l planText) bool { return l.kind == planHint && l.text == "" })
}

// printPreview prints the plan of a host.
func printPreview(env *Env, p *fleet.Plan, h *inventory.Host, f host.Preview) error {
	ink := env.palette(env.OutTTY)
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s\n", ink.Host(h.Color).Paint(h.Name), ink.Faint.Paint(fmt.Sprintf("(%s, wave %d)", h.Kind, h.Wave)))
	for _, l := range previewText(env.Now(), p, h, f) {
		switch l.kind {
		case planTitle:
			b.WriteString("  " + ink.Strong.Paint(l.text))
		case planProblem:
			b.WriteString("  " + ink.Bad.Paint("✗") + " " + l.text)
		case planWarning:
			b.WriteString("  " + ink.Warn.Paint("warning:") + " " + l.text)
		case planAway:
			b.WriteString("  " + ink.Faint.Paint("- away") + ": " + l.text)
		case planHint:
			printHint(&b, ink, l.text)
			continue
		default:
			b.WriteString("    " + strings.Join(someOf(l.text, ink.Faint.Paint(l.detail)), "  "))
		}
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	_, err := env.Out.Write(b.Bytes())
	return err
}

// someOf returns the texts that are not empty.
func someOf(texts ...string) []string {
	return slices.DeleteFunc(texts, func(text string) bool { return text == "" })
}

func commitsTitle(f host.Preview) string {
	switch {
	case f.Behind == 0:
		return "the checkout is at " + health.Short(f.Head)
	case f.Behind > len(f.Commits):
		return fmt.Sprintf("%s from %s to %s, most recent first", count(f.Behind, "commit"), health.Short(f.Head), health.Short(f.Revision))
	}
	return fmt.Sprintf("%s from %s to %s", count(f.Behind, "commit"), health.Short(f.Head), health.Short(f.Revision))
}

// dryRun describes what would be built and downloaded.
func dryRun(f host.Preview) string {
	if len(f.Builds) == 0 && len(f.Fetches) == 0 {
		return "everything is in the store already"
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

// differences returns a line for each package that changes, for the closure and for each action on
// units.
func differences(f remote.Preview) []string {
	switch {
	case f.Built == f.From:
		return []string{"nothing: the host already runs it"}
	case f.Changes == nil:
		return nil
	}
	return append([]string{f.Changes.Totals()}, f.Changes.Lines(math.MaxInt, true)...)
}
