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

// printSummary prints a run's results: a table of all hosts, what has changed, then for each host
// that needs attention the relevant log lines, what to do, and where to find the full log.
func printSummary(env *Env, colors map[string]string, s *fleet.State) {
	if s.Start == nil {
		return
	}
	palette := env.palette(env.OutTTY)
	t := newTextTable(env, "HOST", "OUTCOME", "REVISION", "GENERATION", "SECONDS")
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
		t.row(name, h.Name, ink.Paint(mark+" "+string(r.Outcome)), revisionChange(r), generation, fmt.Sprintf("%.1f", r.Seconds))
	}
	fmt.Fprintf(env.Out, "\n%s", t)
	printChanges(env.Out, palette, colors, s)
	for _, h := range s.Hosts {
		if h.Result != nil && !h.Result.Outcome.Good() {
			printFailure(env.Out, palette, colors, s.Run, h)
		}
	}
	summary := s.Summarize()
	fmt.Fprintf(env.Out, "\n%s\n", outcomeCounts(summary.Counts))
	for _, text := range summary.Warnings {
		fmt.Fprintf(env.Out, "%s %s\n", palette.Warn.Paint("warning:"), text)
	}
}

// outcomeCounts formats counts of outcomes: "8 switched, 1 failed".
func outcomeCounts(counts map[fleet.Outcome]int) string {
	var texts []string
	for _, o := range fleet.Outcomes {
		if n := counts[o]; n > 0 {
			texts = append(texts, fmt.Sprintf("%d %s", n, o))
		}
	}
	return strings.Join(texts, ", ")
}

// revisionChange formats the revisions before and after a run: "a1b2c3d → 3f9c2ab".
func revisionChange(r *fleet.Result) string {
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
	fmt.Fprintf(w, "\n%s %s %s%s\n", ink.Paint(mark), palette.Host(colors[h.Name]).Paint(h.Name), r.Outcome, stepAndReason(r))
	for _, line := range relevantLines(h.Tail) {
		fmt.Fprintf(w, "  %s %s\n", palette.Faint.Paint("|"), line)
	}
	if r.Hint != "" {
		fmt.Fprintf(w, "  %s %s\n", palette.Strong.Paint("hint:"), r.Hint)
	}
	if h.Step != "" && h.Step != fleet.Connect {
		fmt.Fprintf(w, "  %s fleetctl logs %s %s\n", palette.Strong.Paint("full log:"), run, h.Name)
	}
}

// stepAndReason formats the step a host stopped in, and the reason: " in build: it does not
// compile". A reason that starts with the step does not repeat it.
func stepAndReason(r *fleet.Result) string {
	text := ""
	if r.Step != "" {
		text = " in " + string(r.Step)
	}
	if reason := strings.TrimPrefix(r.Reason, string(r.Step)+": "); reason != "" {
		text += ": " + reason
	}
	return text
}

const (
	linesFromError = 12 // enough for an error of Nix with the builder's last lines
	linesFromEnd   = 6
)

// relevantLines picks the lines of a log's tail that explain a failure: those from the first
// mention of an error or, if there is none, the last few.
func relevantLines(tail []string) []string {
	tail = slices.DeleteFunc(slices.Clone(tail), func(line string) bool { return line == "" })
	for i, line := range tail {
		if strings.Contains(strings.ToLower(line), "error") {
			return tail[i:min(i+linesFromError, len(tail))]
		}
	}
	return tail[max(len(tail)-linesFromEnd, 0):]
}
