package tui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
)

// RecordedRun is a run in the record.
type RecordedRun struct {
	Run      string
	Time     time.Time
	Goal     string
	Revision string
	Hosts    int
	Counts   map[fleet.Outcome]int
	Running  bool   // a process is running it
	Ended    bool   // every host has a final outcome
	Problem  string // why the record cannot be read, or ""; safe to print
}

// status returns "running", "abandoned", "damaged" or "".
func (r *RecordedRun) status() string {
	switch {
	case r.Problem != "":
		return "damaged"
	case r.Running:
		return "running"
	case !r.Ended:
		return "abandoned"
	}
	return ""
}

// runTab is what is shown below the list of runs.
type runTab int

const (
	reportTab runTab = iota
	eventsTab
	comparisonTab
)

// runsPage lists the runs in the record on the whole screen. Below the list is the report of the
// run under the cursor, its events, or a comparison.
type runsPage struct {
	options *TableOptions

	open    bool
	reading bool // keys move what is below the list
	runs    []RecordedRun
	listed  bool // runs has been read
	at, top int
	first   string // the run to compare with; "" if there is none

	tab        runTab
	shown      string // the run whose report and events are below
	loading    string // the run that is being read; "" if there is none
	report     *report
	events     *report
	comparison *report // nil until the operator asks
}

// runsListedMsg is the runs in the record, newest first.
type runsListedMsg struct {
	runs []RecordedRun
	err  error
}

// runReadMsg is a run that was read from the record.
type runReadMsg struct {
	run    string
	state  *fleet.State
	events []Text
	err    error
}

// comparedMsg is a comparison of two runs.
type comparedMsg struct {
	lines []Text
	err   error
}

// show opens the page and reads the list.
func (p *runsPage) show() effect {
	p.open, p.reading, p.tab = true, false, reportTab
	return p.list()
}

// list reads the list of runs.
func (p *runsPage) list() effect {
	list := p.options.Actions.Runs
	return run(background(func() tea.Msg {
		runs, err := list()
		return runsListedMsg{runs, err}
	}))
}

// setRuns sets the list. The cursor stays on its run.
func (p *runsPage) setRuns(msg runsListedMsg) effect {
	if msg.err != nil {
		return refusal(firstLine(msg.err))
	}
	before := p.current()
	p.runs, p.listed = msg.runs, true
	p.at = 0
	if before != nil {
		p.at = max(slices.IndexFunc(p.runs, func(r RecordedRun) bool { return r.Run == before.Run }), 0)
	}
	p.shown = "" // it may have more events by now
	return p.load()
}

// current returns the run under the cursor, or nil if there is none.
func (p *runsPage) current() *RecordedRun {
	if p.at >= len(p.runs) {
		return nil
	}
	return &p.runs[p.at]
}

// move moves the cursor.
func (p *runsPage) move(lines int) effect {
	p.at = min(max(p.at+lines, 0), max(len(p.runs)-1, 0))
	if p.tab == comparisonTab {
		p.tab = reportTab
	}
	return p.load()
}

// load reads the run under the cursor. Only one is read at a time.
func (p *runsPage) load() effect {
	r := p.current()
	if r == nil || r.Run == p.shown || p.loading != "" {
		return effect{}
	}
	p.loading = r.Run
	read, name := p.options.Actions.ReadRun, r.Run
	return run(background(func() tea.Msg {
		state, events, err := read(name)
		return runReadMsg{name, state, events, err}
	}))
}

// setRun shows a run that was read, and reads another if the cursor has moved on.
func (p *runsPage) setRun(msg runReadMsg) effect {
	p.loading, p.shown = "", msg.run
	if msg.err != nil {
		p.report = newReport("report", []logLine{{stream: "warn", text: firstLine(msg.err)}})
		p.events = p.report
		return p.load()
	}
	p.report = runReport(msg.state)
	p.events = newReport("events", textLines(msg.events))
	p.events.run = msg.run
	return p.load()
}

// textLines converts lines of an owner.
func textLines(texts []Text) []logLine {
	lines := make([]logLine, len(texts))
	for i, t := range texts {
		lines[i] = logLine{stream: t.Stream, text: t.Line}
	}
	return lines
}

// pane returns what is shown below the list.
func (p *runsPage) pane(width int) *pane {
	shown := p.report
	switch {
	case p.tab == eventsTab:
		shown = p.events
	case p.tab == comparisonTab:
		shown = p.comparison
	}
	if shown == nil {
		return &pane{buffer: newLogBuffer(0), scrolled: true}
	}
	shown.wrap(width)
	return &shown.pane
}

// nextTab shows the next of the report, the events and the comparison, if there is one.
func (p *runsPage) nextTab() {
	p.tab++
	if p.tab > comparisonTab || p.tab == comparisonTab && p.comparison == nil {
		p.tab = reportTab
	}
}

// compare keeps the run under the cursor to be compared, or compares it with the one that was kept.
func (p *runsPage) compare() effect {
	r := p.current()
	switch p.first {
	case r.Run:
		p.first = ""
		return effect{}
	case "":
		p.first = r.Run
		return info("move to another run and press the key again to compare it with " + shortRun(r.Run))
	}
	first, second, compare := p.first, r.Run, p.options.Actions.Compare
	p.first = ""
	return run(background(func() tea.Msg {
		lines, err := compare(first, second)
		return comparedMsg{lines, err}
	}))
}

// setComparison shows a comparison.
func (p *runsPage) setComparison(msg comparedMsg) effect {
	if msg.err != nil {
		return refusal(firstLine(msg.err))
	}
	p.comparison, p.tab = newReport("comparison", textLines(msg.lines)), comparisonTab
	return effect{}
}

// attach shows the run under the cursor in the table.
func (p *runsPage) attach() effect {
	name, attach := p.current().Run, p.options.Actions.AttachTo
	p.open = false
	return run(request(func() error { return attach(name) }, ""))
}

// prune asks before old records are removed.
func (p *runsPage) prune() effect {
	prune := p.options.Actions.Prune
	return effect{dialog: &dialog{
		title: "remove old records?", lines: []string{"what every run removes when it starts: the records that are too old or too many, as fleetctl history prune does"},
		confirm: "Remove", decline: "Keep them",
		accept: func(string) tea.Cmd {
			return background(func() tea.Msg {
				removed, err := prune()
				if err != nil {
					return noticeMsg{text: firstLine(err), bad: true}
				}
				return prunedMsg{removed}
			})
		},
	}}
}

// prunedMsg reports how many records were removed.
type prunedMsg struct{ removed int }

// runsActions returns the actions of the list of runs, and the one that opens it.
func runsActions() []action {
	return []action{
		{name: "runs", keys: []string{"H"}, about: "list the recorded runs", scope: anywhere,
			unavailable: (*ui).runsUnavailable, do: func(u *ui) tea.Cmd { u.layout++; return u.handle(u.runsPage.show()) }},
		{name: "read-run", keys: []string{"enter", "l"}, about: "move into the report or the events", scope: inRuns,
			unavailable: (*ui).noRun, do: on(func(u *ui) { u.runsPage.reading = true })},
		{name: "attach-run", keys: []string{"A"}, about: "show the run in the table, and continue it if it was abandoned", scope: inRuns, changes: true,
			unavailable: (*ui).attachRunUnavailable, do: func(u *ui) tea.Cmd { return u.handle(u.runsPage.attach()) }},
		{name: "compare-runs", keys: []string{"="}, about: "compare with another run: press it on both", scope: inRuns,
			unavailable: (*ui).noRun, do: func(u *ui) tea.Cmd { return u.handle(u.runsPage.compare()) }},
		{name: "prune-runs", keys: []string{"X"}, about: "remove the records of old runs", scope: inRuns,
			unavailable: (*ui).noRun, do: func(u *ui) tea.Cmd { return u.handle(u.runsPage.prune()) }},
		{name: "refresh-runs", keys: []string{"r"}, about: "read the list again", scope: inRuns,
			do: func(u *ui) tea.Cmd { return u.handle(u.runsPage.list()) }},
	}
}

func (u *ui) runsUnavailable() string {
	if u.options.Actions.Runs == nil || u.options.Actions.ReadRun == nil {
		return "the recorded runs are not available here"
	}
	return ""
}

func (u *ui) noRun() string {
	if u.runsPage.current() == nil {
		return "there is no run"
	}
	return ""
}

func (u *ui) attachRunUnavailable() string {
	switch r := u.runsPage.current(); {
	case r == nil:
		return "there is no run"
	case u.options.Actions.AttachTo == nil:
		return "attaching is not available here"
	case r.status() == "":
		return "the run has finished"
	case u.runs.byID[r.Run] != nil:
		return "the table shows this run already"
	}
	return ""
}

// runsHeight returns how many lines the list of runs has. What is below it has at least as many.
func (u *ui) runsHeight() int {
	room := u.height - 4 // the header, the heads, the tabs, the footer
	if u.runsPage.reading {
		return min(max(room/4, 1), max(len(u.runsPage.runs), 1))
	}
	return min(max(room/2, 1), max(len(u.runsPage.runs), 1))
}

// drawRuns draws the page of runs.
func (u *ui) drawRuns(out *strings.Builder) {
	p, height := &u.runsPage, u.runsHeight()
	p.top = max(min(p.top, p.at), p.at-height+1, 0)
	p.top = max(min(p.top, len(p.runs)-height), 0)
	u.write(out, u.palette.Faint.Paint(truncate("   RUN   STARTED            GOAL      REVISION  HOSTS  OUTCOMES", u.width)))
	drawn := 0
	for i := p.top; i < min(p.top+height, len(p.runs)); i++ {
		u.drawRun(out, &p.runs[i], i == p.at)
		drawn++
	}
	if len(p.runs) == 0 {
		text := "   reading the record ..."
		if p.listed {
			text = "   no runs yet; d in the table starts one"
		}
		u.write(out, u.palette.Faint.Paint(text))
		drawn++
	}
	blankLines(out, height-drawn)
	below := u.height - 4 - height
	shown := p.pane(u.width)
	bar := tabBar{painter: &u.painter, focused: p.reading}
	for _, t := range p.tabs() {
		bar.tab(t.name, t.ink, t.shown)
	}
	bar.note(shown.status(below, false, &u.logs.style))
	bar.writeTo(out, u.width)
	shown.draw(out, &u.painter, u.width, below, &u.logs.style)
}

// drawRun draws the line of a run.
func (u *ui) drawRun(out *strings.Builder, r *RecordedRun, cursor bool) {
	p := &u.palette
	mark := "   "
	switch {
	case cursor && u.runsPage.reading:
		mark = "▏  "
	case cursor:
		mark = "▌  "
	}
	if r.Run == u.runsPage.first {
		mark = mark[:len(mark)-2] + "● "
	}
	line := p.Strong.Paint(mark) + p.Strong.Paint(pad(shortRun(r.Run), 4)) + "  "
	if !r.Time.IsZero() {
		line += r.Time.Format("_2 Jan 15:04") + p.Faint.Paint(" "+padLeft(age(r.Time, u.now), 4))
	}
	line += strings.Repeat(" ", max(28-ansi.StringWidth(line), 1)) + pad(r.Goal, 8) + "  " + pad(health.Short(r.Revision), 8) + "  " + padLeft(digits(r.Hosts), 5) + "  "
	switch status := r.status(); status {
	case "running":
		line += p.Busy.Paint("▸ running  ")
	case "abandoned":
		line += p.Warn.Paint("~ abandoned  ")
	case "damaged":
		line += p.Bad.Paint("✗ damaged: " + r.Problem)
	}
	for _, o := range fleet.Outcomes {
		if n := r.Counts[o]; n > 0 {
			ink, mark := p.Outcome(o)
			line += ink.Paint(fmt.Sprintf("%s %d %s", mark, n, o)) + "  "
		}
	}
	line = ansi.Truncate(line, u.width, "…")
	if cursor {
		line = p.Here.Over(line + strings.Repeat(" ", max(u.width-ansi.StringWidth(line), 0)))
	}
	out.WriteString(line + "\n")
}

// menuOfRun lists what can be done with the run under the cursor.
func (u *ui) menuOfRun() *menu {
	title := "runs"
	if r := u.runsPage.current(); r != nil {
		title = "run " + shortRun(r.Run)
	}
	return u.newMenu(title, func(a *action) bool { return a.scope == inRuns || a.name == "pager" })
}
