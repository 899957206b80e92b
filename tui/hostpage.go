package tui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/markus-barta/nixfleet/fleet/change"
	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/fleet/host"
)

// hostTab is what a host page shows below the facts.
type hostTab int

const (
	logTab hostTab = iota
	planTab
	generationsTab
	hostTabs
)

func (t hostTab) String() string { return [...]string{"log", "plan", "generations"}[t] }

// hostPage shows one host on the whole screen: its facts, its past runs, and its log, plan or
// generations.
type hostPage struct {
	options *TableOptions
	keys    *keymap

	row  *row // nil if no page is open
	tab  hostTab
	past []PastRun
}

// historyMsg is the past runs of a host.
type historyMsg struct {
	host string
	past []PastRun
}

// generationsMsg is the generations of a host, for its tab.
type generationsMsg struct {
	host        string
	generations []host.Generation
	err         error
}

// show opens the page of a host and reads its past runs.
func (h *hostPage) show(r *row) effect {
	h.row, h.past, h.tab = r, nil, logTab
	history, name := h.options.Actions.History, r.Name
	if history == nil {
		return effect{}
	}
	return run(background(func() tea.Msg {
		past, err := history(name)
		if err != nil {
			return noticeMsg{text: firstLine(err), bad: true}
		}
		return historyMsg{name, past}
	}))
}

func (h *hostPage) close() { h.row, h.past, h.tab = nil, nil, logTab }

// setHistory sets the past runs, unless the page shows another host by now.
func (h *hostPage) setHistory(msg historyMsg) effect {
	if h.row == nil || h.row.Name != msg.host {
		return effect{}
	}
	h.past = msg.past
	return effect{}
}

// pane returns what is shown below the facts.
func (h *hostPage) pane() *pane {
	switch h.tab {
	case planTab:
		return h.row.plan
	case generationsTab:
		return h.row.generations
	}
	return &h.row.log
}

// nextTab shows the next tab. Generations are read each time.
func (h *hostPage) nextTab(now time.Time) effect {
	return h.showTab((h.tab+1)%hostTabs, now)
}

func (h *hostPage) showTab(tab hostTab, now time.Time) effect {
	h.tab = tab
	switch {
	case h.tab == planTab && h.row.plan == nil:
		h.row.plan = textPane(now, []Text{{"out", fmt.Sprintf("%s shows what a deploy would do here, and %s builds it to show what would change",
			h.keys.keyOrCommand("plan"), h.keys.keyOrCommand("plan-build"))}})
	case h.tab == generationsTab:
		return h.readGenerations(now)
	}
	return effect{}
}

func (h *hostPage) readGenerations(now time.Time) effect {
	name, list := h.row.Name, h.options.Actions.Generations
	if list == nil {
		h.row.generations = textPane(now, []Text{{"out", "generations are not available here"}})
		return effect{}
	}
	if h.row.generations == nil {
		h.row.generations = textPane(now, []Text{{"out", "reading the host's generations ..."}})
	}
	return run(background(func() tea.Msg {
		generations, err := list(name)
		return generationsMsg{name, generations, err}
	}))
}

// generationsPane shows generations, newest first.
func generationsPane(now time.Time, keys *keymap, msg generationsMsg) *pane {
	if msg.err != nil {
		return textPane(now, []Text{{"warn", "cannot read the host's generations: " + firstLine(msg.err)}})
	}
	sortGenerations(msg.generations)
	lines := []Text{{"note", plural(len(msg.generations), "generation")}}
	for _, g := range msg.generations {
		lines = append(lines, Text{"out", FormatGeneration(g)})
	}
	if key := keys.keyFor("rollback"); key != "" && len(msg.generations) > 1 {
		lines = append(lines, Text{"out", fmt.Sprintf("%s activates an earlier one", key)})
	}
	return textPane(now, lines)
}

// sortGenerations sorts generations, newest first.
func sortGenerations(generations []host.Generation) {
	slices.SortFunc(generations, func(a, b host.Generation) int { return b.Number - a.Number })
}

// FormatGeneration returns a generation as a line: its number, when it was made, its revision, and
// whether it is current or booted.
func FormatGeneration(g host.Generation) string {
	when := ""
	if !g.Time.IsZero() {
		when = g.Time.Format("2 Jan 2006 15:04")
	}
	line := padLeft(fmt.Sprint(g.Number), 5) + "  " + pad(when, 17) + "  " + pad(health.Short(g.Revision), 7)
	if g.Current {
		line += "  current"
	}
	if g.Booted {
		line += "  booted"
	}
	return line
}

// lines returns the facts and the history, side by side if the window is wide.
func (h *hostPage) lines(p *painter, width int, now time.Time) []string {
	history := h.history(p, now)
	const minWidth = 110
	if width < minWidth || len(history) == 0 {
		return append(h.facts(p, width, now), history...)
	}
	half := width / 2
	facts := h.facts(p, half-1, now)
	lines := make([]string, max(len(facts), len(history)))
	for i := range lines {
		var left, right string
		if i < len(facts) {
			left = facts[i]
		}
		if i < len(history) {
			right = history[i]
		}
		lines[i] = left + strings.Repeat(" ", half-ansi.StringWidth(left)) + right
	}
	return lines
}

// history returns the past runs of the host, newest first.
func (h *hostPage) history(p *painter, now time.Time) []string { return pastLines(h.past, p, now) }

func pastLines(all []PastRun, p *painter, now time.Time) []string {
	var lines []string
	for _, past := range all {
		line := p.palette.Faint.Paint("   "+pad(age(past.Time, now), 5)) + pad(past.Goal, 7)
		// enough to name the run: the line already has its time
		id := past.Run[strings.LastIndexByte(past.Run, '-')+1:]
		ink, text, result := p.palette.Faint, "- not finished", ""
		if past.Result != nil {
			var mark string
			ink, mark = p.palette.Outcome(past.Result.Outcome)
			text, result = mark+" "+string(past.Result.Outcome), resultText(past.Result)
		}
		lines = append(lines, line+ink.Paint(pad(text, 16))+p.palette.Faint.Paint(id)+"  "+result)
	}
	return lines
}

// facts returns what is known about the host, and what the last activation has changed there.
func (h *hostPage) facts(p *painter, width int, now time.Time) []string {
	lines := facts(h.row, p, width, now)
	when, changes := "", (*change.Set)(nil)
	if result := h.row.result(); result != nil {
		changes = result.Changes
	}
	for i := 0; changes == nil && i < len(h.past); i++ {
		if result := h.past[i].Result; result != nil && result.Changes != nil {
			when, changes = age(h.past[i].Time, now)+" ago", result.Changes
		}
	}
	if changes == nil {
		return lines
	}
	const packages, units = 6, 3
	lines = append(lines, fact(p, width, "changed", joinNonEmpty(when, changes.Totals()))...)
	lines = append(lines, fact(p, width, "", joinNonEmpty(changes.BriefPackages(packages)...))...)
	return append(lines, fact(p, width, "units", joinNonEmpty(changes.BriefUnits(units)...))...)
}

// labelWidth is the width of the names of facts.
const labelWidth = 11

// facts returns what is known about a host, one fact after the other, wrapped at width. Unknown
// facts are left out.
func facts(r *row, p *painter, width int, now time.Time) []string {
	var lines []string
	add := func(name string, texts ...string) {
		lines = append(lines, fact(p, width, name, joinNonEmpty(texts...))...)
	}
	address := r.Address
	if r.Local {
		address = "local"
	}
	host := []string{string(r.Kind), "wave " + fmt.Sprint(r.Wave), cmp.Or(r.status.Address, address)}
	for _, tag := range r.Tags {
		host = append(host, "@"+tag)
	}
	add("host", strings.Join(host, "  "))
	if last := r.judged.LastRun; last != nil && last.Reason != "" {
		add("last run", last.Sentence(now))
		if result := r.result(); result != nil {
			add("", result.Hint)
		}
	}
	if r.status.Err != nil {
		add("problem", r.status.Observation().Reason)
		if !r.seen.IsZero() {
			add("", "last answered at "+r.seen.Format("15:04:05")+"; the facts below are from then")
		}
	}
	add("drift", r.judged.Drift.String())
	if r.tests != nil && (!r.tests.OK() || r.tests.Passed > 0) {
		add("tests", r.tests.Sentence(now))
	}
	if other := r.status.OtherAgent; other != nil {
		add("agent", other.Error())
	}
	if r.status.Health != nil {
		addHealthFacts(r, add)
	}
	return lines
}

// fact returns the lines of one fact, wrapped at width, or none if the text is empty.
func fact(p *painter, width int, name, text string) []string {
	if text == "" {
		return nil
	}
	var lines []string
	for _, line := range strings.Split(ansi.Wrap(text, max(width-labelWidth-3, minDetailWidth), ""), "\n") {
		lines = append(lines, p.palette.Faint.Paint("   "+pad(name, labelWidth))+line)
		name = ""
	}
	return lines
}

// addHealthFacts adds the facts that the host itself reported.
func addHealthFacts(r *row, add func(name string, texts ...string)) {
	h := r.status.Health
	add("runs", h.OS, labeled("Nix ", h.Nix), labeled("agent ", h.Agent), uptime(h.Uptime))
	pending := ""
	if h.System.RebootNeeded {
		pending = "reboot needed"
	} else if h.System.BootPending {
		pending = "different system at the next boot"
	}
	generation := ""
	if h.System.Generation > 0 {
		generation = fmt.Sprintf("generation %d", h.System.Generation)
		if h.System.Specialisation != "" {
			generation += ", specialisation " + h.System.Specialisation
		}
		if h.System.GenerationTime != nil {
			generation += ", since " + h.System.GenerationTime.Format("2 Jan 2006 15:04")
		}
	}
	add("system", health.Short(h.System.Revision), generation, pending)
	if c := h.Checkout; c != nil {
		changes := ""
		if c.Dirty {
			changes = "uncommitted changes"
		}
		add("checkout", c.Branch, health.Short(c.Revision), c.Subject, countOf(c.Ahead, "ahead"), countOf(c.Behind, "behind"), changes)
	}
	load := ""
	if h.Load != [3]float64{} {
		load = fmt.Sprintf("%.2f %.2f %.2f", h.Load[0], h.Load[1], h.Load[2])
	}
	add("load", load, percentOf("cpu", cpu(r)), percentOf("memory", memory(r)), percentOf("swap", percentUsed(h.Swap)))
	add("disk", freeSpace("/", h.Root), freeSpace("/nix/store", h.Store))
	add("failed", strings.Join(h.FailedUnits, " "))
	if h.Job != nil {
		add("job", h.Job.ID, labeled("by ", h.Job.Who), h.Job.Step)
	}
}

// joinNonEmpty joins the texts that are not empty.
func joinNonEmpty(all ...string) string {
	return strings.Join(slices.DeleteFunc(all, func(s string) bool { return strings.TrimSpace(s) == "" }), "  ")
}

func labeled(label, value string) string {
	if value == "" {
		return ""
	}
	return label + value
}

func countOf(n int, word string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d %s", n, word)
}

func uptime(seconds float64) string {
	if seconds <= 0 {
		return ""
	}
	return "up " + ago(time.Duration(seconds)*time.Second)
}

func percentOf(name string, percent float64) string {
	if percent < 0 {
		return ""
	}
	return fmt.Sprintf("%s %.0f%%", name, percent)
}

// freeSpace returns how much space is left on a disk.
func freeSpace(name string, a *health.Amount) string {
	if a == nil {
		return ""
	}
	return fmt.Sprintf("%s %.1f of %.1f GiB free", name, float64(a.Free)/(1<<30), float64(a.Total)/(1<<30))
}
