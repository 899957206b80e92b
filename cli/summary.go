package cli

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/tui"
)

// printSummary ends a run for a person: a table of all hosts, then for each that needs somebody the last lines that matter, what
// to do, and where the rest is.
func printSummary(env *Env, colors map[string]string, s *fleet.State) {
	if s.Start == nil {
		return
	}
	palette := env.palette(env.OutTTY)
	t := newTable(env, "HOST", "OUTCOME", "REVISION", "GENERATION", "SECONDS")
	for _, h := range s.Hosts {
		name := palette.Host(colors[h.Name])
		r := h.Result
		if r == nil {
			t.row(name, h.Name, palette.Faint.Paint("· "+string(h.Phase)), "", "", "")
			continue
		}
		ink, mark := palette.Outcome(r.Outcome)
		generation := ""
		if r.Generation > 0 {
			generation = strconv.Itoa(r.Generation)
		}
		t.row(name, h.Name, ink.Paint(mark+" "+string(r.Outcome)), revisions(r), generation, fmt.Sprintf("%.1f", r.Seconds))
	}
	fmt.Fprintf(env.Out, "\n%s", t)
	for _, h := range s.Hosts {
		if h.Result != nil && !h.Result.Outcome.Good() {
			printFailure(env.Out, palette, colors, s.Run, h)
		}
	}
	fmt.Fprintf(env.Out, "\n%s\n", totals(s))
}

// totals counts the outcomes: 8 switched, 1 failed.
func totals(s *fleet.State) string { return counts(s.Summarize().Counts) }

func counts(of map[fleet.Outcome]int) string {
	var words []string
	for _, o := range fleet.Outcomes {
		if n := of[o]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, o))
		}
	}
	return strings.Join(words, ", ")
}

func revisions(r *fleet.Result) string {
	before, after := health.Short(r.Before), health.Short(r.After)
	switch {
	case before == after || after == "":
		return before
	case before == "":
		return after
	}
	return before + " → " + after
}

func printFailure(w io.Writer, palette tui.Palette, colors map[string]string, run string, h *fleet.HostState) {
	r := h.Result
	ink, mark := palette.Outcome(r.Outcome)
	fmt.Fprintf(w, "\n%s %s %s%s\n", ink.Paint(mark), palette.Host(colors[h.Name]).Paint(h.Name), r.Outcome, inStep(r))
	for _, line := range telling(h.Tail) {
		fmt.Fprintf(w, "  %s %s\n", palette.Faint.Paint("|"), line)
	}
	if r.Hint != "" {
		fmt.Fprintf(w, "  %s %s\n", palette.Strong.Paint("hint:"), r.Hint)
	}
	if h.Step != "" && h.Step != fleet.Connect {
		fmt.Fprintf(w, "  %s fleetctl logs %s %s\n", palette.Strong.Paint("all of it:"), run, h.Name)
	}
}

// inStep says in which step a host's part ended, and why. A reason that begins with the step does not have it said twice.
func inStep(r *fleet.Result) string {
	where := ""
	if r.Step != "" {
		where = " in " + string(r.Step)
	}
	if why := strings.TrimPrefix(r.Reason, string(r.Step)+": "); why != "" {
		where += ": " + why
	}
	return where
}

const (
	linesFromError = 12 // an error as Nix prints it, with the builder's last lines
	linesOtherwise = 6
)

// telling picks from a log's last lines those that tell what went wrong: from the first that speaks of an error on, else the
// very last.
func telling(tail []string) []string {
	tail = slices.DeleteFunc(slices.Clone(tail), func(line string) bool { return line == "" })
	for i, line := range tail {
		if strings.Contains(strings.ToLower(line), "error") {
			return tail[i:min(i+linesFromError, len(tail))]
		}
	}
	return tail[max(len(tail)-linesOtherwise, 0):]
}
