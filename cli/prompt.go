package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// runPrompt returns the question before a run.
func runPrompt(p *fleet.Plan, hosts []*inventory.Host) string {
	which := count(len(hosts), "host") + " of " + p.Fleet
	if len(hosts) == 1 {
		which = hosts[0].Name
	}
	revision := health.Short(p.Pinned.Commit)
	switch {
	case p.NoPull:
		revision = "what is checked out there"
	case p.Rev != "" && !fleet.IsCommit(p.Rev):
		revision = fmt.Sprintf("%s (%s)", p.Rev, revision)
	}
	switch p.Goal {
	case fleet.GoalRollback:
		generation := "the previous generation"
		if p.To > 0 {
			generation = fmt.Sprintf("generation %d", p.To)
		}
		return fmt.Sprintf("Roll back %s to %s?", which, generation)
	case fleet.GoalBoot:
		return fmt.Sprintf("Have %s boot into %s next?", which, revision)
	case fleet.GoalTest:
		return fmt.Sprintf("Activate %s on %s until the next reboot?", revision, which)
	case fleet.GoalBuild:
		return fmt.Sprintf("Build %s on %s?", revision, which)
	case fleet.GoalPull:
		return fmt.Sprintf("Pull %s on %s?", revision, which)
	}
	return fmt.Sprintf("Switch %s to %s?", which, revision)
}

// printPlan prints what a run is going to do, before the question whether to start it: the hosts
// and their waves, the commit with its subject, and the commits that are new to hosts.
func (env *Env) printPlan(ctx context.Context, inv *inventory.Inventory, p *fleet.Plan) {
	ink := env.palette(env.ErrTTY)
	line := func(head, text string) {
		if text != "" {
			printHanging(env.Err, env.errWidth(), ink.Faint.Paint(fmt.Sprintf("%8s", head))+"  ", 10, text)
		}
	}
	hosts := p.Hosts()
	if len(hosts) > 1 {
		line("hosts", mostNames(hosts))
	}
	if p.Pinned.Commit != "" {
		line("commit", env.commitText(ctx, inv, p.Pinned.Commit))
		for i, text := range env.newCommits(ctx, inv, p) {
			line(map[int]string{0: "new"}[i], text)
		}
	}
	if len(p.Waves) > 1 {
		var waves []string
		for _, w := range p.Waves {
			waves = append(waves, fmt.Sprintf("%s (%s)", fleet.WaveName(w.Number), count(len(w.Hosts), "host")))
		}
		line("waves", strings.Join(waves, ", then "))
	}
}

// mostNames names hosts, and counts those after the first 24.
func mostNames(hosts []*inventory.Host) string {
	const limit = 24
	var names []string
	for _, h := range hosts[:min(len(hosts), limit)] {
		names = append(names, h.Name)
	}
	text := strings.Join(names, ", ")
	if more := len(hosts) - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// commitText returns a commit with its subject and age, as far as they are known here.
func (env *Env) commitText(ctx context.Context, inv *inventory.Inventory, commit string) string {
	text := health.Short(commit)
	if c := env.describeCommit(ctx, commit, inv.Dir(), inv.Remote); !c.Time.IsZero() {
		text += fmt.Sprintf(" %s (%s ago)", c.Subject, span(env.Now().Sub(c.Time)))
	}
	return text
}

// newCommits returns which commits the hosts of a plan do not have yet, as far as records of runs
// and the repositories at hand tell: for each commit that hosts ran after their last run, how many
// follow, then the subjects of the newest.
func (env *Env) newCommits(ctx context.Context, inv *inventory.Inventory, p *fleet.Plan) []string {
	history, _ := env.records().HostHistory(inv.Name) // of damaged records nothing is known
	hosts := make(map[string][]string)
	var bases []string
	for _, h := range p.Hosts() {
		base := history.LastRuns[h.Name].Revision
		if !fleet.IsCommit(base) || base == p.Pinned.Commit {
			continue
		}
		if hosts[base] == nil {
			bases = append(bases, base)
		}
		hosts[base] = append(hosts[base], h.Name)
	}
	type distance struct {
		base    string
		commits int
	}
	var known []distance
	const most = 4 // different commits that hosts run
	for _, base := range bases[:min(len(bases), most)] {
		if n, err := strconv.Atoi(env.gitLog(ctx, inv, "rev-list", "--count", base+".."+p.Pinned.Commit)); err == nil {
			known = append(known, distance{base, n})
		}
	}
	if known == nil {
		return nil
	}
	slices.SortStableFunc(known, func(a, b distance) int { return cmp.Compare(b.commits, a.commits) })
	var parts []string
	for _, d := range known {
		parts = append(parts, fmt.Sprintf("%s since %s (%s)", count(d.commits, "commit"), health.Short(d.base), someHosts(hosts[d.base])))
	}
	lines := []string{strings.Join(parts, ", ")}
	const subjects = 5
	log := env.gitLog(ctx, inv, "log", "--format=%h %s", "--abbrev=7", "-"+strconv.Itoa(subjects), known[0].base+".."+p.Pinned.Commit)
	for subject := range strings.Lines(log) {
		lines = append(lines, strings.TrimSpace(subject))
	}
	if more := known[0].commits - subjects; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return lines
}

// printHanging prints a text behind a head of some columns. On a terminal of that width, it is
// wrapped and indented.
func printHanging(w io.Writer, width int, head string, columns int, text string) {
	lines := []string{text}
	if width > 0 {
		lines = wrapped(text, max(width-columns, 20))
	}
	for i, line := range lines {
		if i > 0 {
			head = strings.Repeat(" ", columns)
		}
		fmt.Fprintln(w, head+line)
	}
}

// confirm prompts and reports whether the answer was y or yes.
func (env *Env) confirm(question string) bool {
	lines := []string{question}
	if width := env.errWidth(); width > 0 {
		lines = wrapped(question, max(width-len(" [y/N] y"), 20))
	}
	fmt.Fprintf(env.Err, "%s [y/N] ", strings.Join(lines, "\n"))
	answer, err := readLine(env.In)
	if err != nil {
		fmt.Fprintln(env.Err)
	}
	return isYes(answer)
}

func isYes(answer string) bool {
	lower := strings.ToLower(answer)
	return lower == "y" || lower == "yes"
}
