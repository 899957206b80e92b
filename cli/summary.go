package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/tui"
)

// printSummary prints a run's results: a table of all hosts, what has changed, then what explains
// the outcomes of hosts that failed or were skipped.
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
			printFailure(env.Out, env.width(), palette, colors, s.Run, h)
		}
	}
	printReasons(env, palette, s)
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

// printFailure prints the relevant lines of a host's log, what to do, and where to find the full
// log.
func printFailure(w io.Writer, width int, palette tui.Palette, colors map[string]string, run string, h *fleet.HostState) {
	r := h.Result
	ink, mark := palette.Outcome(r.Outcome)
	fmt.Fprintln(w)
	printWrapped(w, width, fmt.Sprintf("%s %s %s%s", ink.Paint(mark), palette.Host(colors[h.Name]).Paint(h.Name), r.Outcome, stepAndReason(r)))
	for _, line := range fleet.Excerpt(h.Tail) {
		for _, part := range folded(line, max(width-4, 0)) {
			fmt.Fprintf(w, "  %s %s\n", palette.Faint.Paint("|"), part)
		}
	}
	if r.Hint != "" {
		printWrapped(w, width, fmt.Sprintf("  %s %s", palette.Strong.Paint("hint:"), r.Hint))
	}
	if h.Step != "" && h.Step != fleet.Connect {
		fmt.Fprintf(w, "  %s fleetctl logs %s %s\n", palette.Strong.Paint("full log:"), run, h.Name)
	}
}

// printWrapped prints a line. If it is wider than a terminal, it continues at blanks, indented; a
// width of 0 is unlimited.
func printWrapped(w io.Writer, width int, line string) {
	for i, part := range folded(line, width) {
		if i > 0 {
			part = "  " + part
		}
		fmt.Fprintln(w, part)
	}
}

// folded breaks a line at blanks if it is wider than width, and keeps its indentation. A width of 0
// is unlimited.
func folded(line string, width int) []string {
	if width == 0 || ansi.StringWidth(line) <= width {
		return []string{line}
	}
	text := strings.TrimLeft(line, " ")
	indent := line[:len(line)-len(text)]
	parts := wrapped(text, max(width-len(indent)-2, 20))
	for i := range parts {
		parts[i] = indent + parts[i]
	}
	return parts
}

// printReasons prints why hosts ended as they did although nothing failed on them, such as those
// that were skipped: once for all hosts with the same reason.
func printReasons(env *Env, palette tui.Palette, s *fleet.State) {
	type cause struct {
		outcome fleet.Outcome
		reason  string
	}
	var causes []cause
	hosts := make(map[cause][]string)
	for _, h := range s.Hosts {
		if h.Result == nil || !h.Result.Outcome.Good() || h.Result.Reason == "" {
			continue
		}
		c := cause{h.Result.Outcome, reasonOf(h.Result)}
		if hosts[c] == nil {
			causes = append(causes, c)
		}
		hosts[c] = append(hosts[c], h.Name)
	}
	for _, c := range causes {
		ink, mark := palette.Outcome(c.outcome)
		fmt.Fprintln(env.Out)
		printWrapped(env.Out, env.width(), fmt.Sprintf("%s %s %s: %s", ink.Paint(mark), nameList(hosts[c]), c.outcome, c.reason))
	}
}

// printRows prints a line for each host of a run with its outcome and, to standard error, why hosts
// failed.
func printRows(env *Env, colors map[string]string, s *fleet.State) {
	if s.Start == nil {
		return
	}
	palette := env.palette(env.OutTTY)
	t := newTextTable(env)
	for _, h := range s.Hosts {
		name := palette.Host(colors[h.Name])
		r := h.Result
		if r == nil {
			t.row(name, h.Name, palette.Faint.Paint("· "+string(h.Phase)), "", "")
			continue
		}
		ink, mark := palette.Outcome(r.Outcome)
		t.row(name, h.Name, ink.Paint(mark+" "+string(r.Outcome)), revisionChange(r), strings.TrimLeft(stepAndReason(r), " :"))
	}
	fmt.Fprint(env.Out, t)
	palette = env.palette(env.ErrTTY)
	for _, h := range s.Hosts {
		if h.Result == nil || h.Result.Outcome.Good() {
			continue
		}
		printFailure(env.Err, env.errWidth(), palette, colors, s.Run, h)
		if env.inGitHubActions() {
			fmt.Fprintln(env.Err, failureCommand(h.Name, h.Result))
		}
	}
	for _, text := range s.Summarize().Warnings {
		fmt.Fprintf(env.Err, "%s %s\n", palette.Warn.Paint("warning:"), text)
	}
}

// stepAndReason formats the step a host stopped in, and the reason: " in build: it does not
// compile".
func stepAndReason(r *fleet.Result) string {
	text := ""
	if r.Step != "" {
		text = " in " + string(r.Step)
	}
	if reason := reasonOf(r); reason != "" {
		text += ": " + reason
	}
	return text
}

// reasonOf returns the reason of a result, in which paths of the Nix store are names. One that
// starts with the step does not repeat it.
func reasonOf(r *fleet.Result) string {
	return health.ShortenPaths(strings.TrimPrefix(r.Reason, string(r.Step)+": "))
}
