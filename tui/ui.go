package tui

import (
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// focus is what the keys move.
type focus int

const (
	onTable focus = iota
	onLog
)

// ui is the Bubble Tea model of a [Table]. It owns all state, routes messages and keys to its
// children, and applies the effects that they return. It never blocks.
type ui struct {
	options TableOptions
	keys    keymap
	painter
	dark bool // the terminal's background

	width, height int
	layout        uint64    // increases when every row has to be redrawn
	now           time.Time // when the last message came: a frame shows one moment

	hosts  hosts
	runs   runs
	counts countsLine

	list     list
	columns  columnSet
	logs     logs
	page     hostPage
	runsPage runsPage
	preview  preview
	timeline timeline
	help     helpPage
	focus    focus

	actions   hostActions
	dialog    *dialog
	commands  *commandPalette
	menu      *menu
	prompt    *prompt
	questions questionQueue
	notice    notice
	presence  presence
	panicked  *fleet.PanicError // why the table ends; nil if the operator quits
	reopen    bool              // the table ends in order to be opened again
}

func newUI(o TableOptions) *ui {
	u := &ui{
		options: o, dark: true, now: o.Now(), keys: newKeymap(o.Settings.Keys, o.Settings.Commands),
		hosts: newHosts(o.Inventory, o.Actions), runs: newRuns(), columns: newColumnSet(o.Settings.Columns), logs: newLogs(),
		presence: presence{report: o.Actions.Away},
	}
	u.actions = hostActions{options: &u.options, hosts: &u.hosts, keys: &u.keys}
	u.page = hostPage{options: &u.options, keys: &u.keys}
	u.runsPage = runsPage{options: &u.options}
	u.list = list{hosts: &u.hosts, columns: &u.columns, selectHosts: o.Inventory.Select, sort: unsorted}
	u.repaint()
	u.arrange()
	return u
}

// repaint makes all inks again, after the theme or the background has changed.
func (u *ui) repaint() {
	colors := make(map[string]string, len(u.hosts.rows))
	for _, r := range u.hosts.rows {
		colors[r.Name] = r.Color
	}
	u.painter = newPainter(u.options.Settings.Theme.Palette(u.options.Profile, u.dark), colors)
	u.layout++
}

func (u *ui) Init() tea.Cmd { return tea.Batch(tea.RequestBackgroundColor, tick()) }

func (u *ui) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	u.now = u.options.Now()
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		u.width, u.height = msg.Width, msg.Height
		u.layout++
		u.keepInView()
	case tea.BackgroundColorMsg:
		if dark := msg.IsDark(); dark != u.dark {
			u.dark = dark
			u.repaint()
		}
	case tea.KeyPressMsg:
		cmd := u.key(msg)
		u.openQuestion()
		return u, cmd
	case tea.PasteMsg:
		u.paste(msg.Content)
	case tea.MouseClickMsg:
		return u, u.click(msg)
	case tea.MouseWheelMsg:
		return u, u.wheel(msg)
	case tea.BlurMsg:
		u.presence.blurred = u.now
	case tea.FocusMsg:
		return u, u.presence.focus()
	case tickMsg:
		return u, tea.Batch(tick(), u.everySecond())
	case *fleet.PanicError:
		u.panicked = msg
		return u, tea.Quit
	default:
		return u, u.updateFromOwner(msg)
	}
	return u, nil
}

// updateFromOwner handles the messages that come from the owner: events, questions, and answers to
// requests.
func (u *ui) updateFromOwner(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case batchMsg:
		return u.apply(batch(msg))
	case noticeMsg:
		if msg.text != "" {
			u.notify(notice(msg))
		}
	case historyMsg:
		return tea.Batch(u.handle(u.page.setHistory(msg)), u.handle(u.hosts.setPast(msg)))
	case generationsMsg:
		u.hosts.byName[msg.host].generations = generationsPane(u.now, &u.keys, msg)
	case rollbackChoicesMsg:
		if u.dialog == msg.dialog {
			e := msg.dialog.setGenerations(msg)
			if e.closed {
				u.dialog = nil
				u.openQuestion()
			}
			return u.handle(e)
		}
	case startedMsg:
		for _, name := range msg.hosts {
			u.hosts.setMark(u.hosts.byName[name], false)
		}
	case editorClosedMsg:
		return u.handle(readAgain(msg))
	case editedMsg:
		return u.handle(u.edited(msg))
	case runsListedMsg:
		return u.handle(u.runsPage.setRuns(msg))
	case runReadMsg:
		return u.handle(u.runsPage.setRun(msg))
	case comparedMsg:
		return u.handle(u.runsPage.setComparison(msg))
	case prunedMsg:
		return tea.Batch(u.handle(info(plural(msg.removed, "record")+" removed")), u.handle(u.runsPage.list()))
	case dialogMsg:
		return u.handle(effect{dialog: msg.dialog})
	case recordPageMsg:
		return u.handle(msg.pane.showFetched(msg, &u.logs.style))
	case askMsg:
		u.questions.add(msg.question)
		u.openQuestion()
	case withdrawMsg:
		if u.dialog != nil && u.dialog.question == msg.question {
			u.dialog = nil
		}
		u.questions.remove(msg.question)
		u.openQuestion()
	}
	return nil
}

// openQuestion asks the next question, once the operator is not busy with something else.
func (u *ui) openQuestion() {
	if u.dialog == nil && u.prompt == nil && u.commands == nil && u.menu == nil {
		u.dialog = u.questions.next()
	}
}

// key routes a key to the dialog, the command palette, the menu or the prompt that is open, or
// performs its action.
func (u *ui) key(msg tea.KeyPressMsg) tea.Cmd {
	key := msg.String()
	switch {
	case key == "ctrl+z":
		return tea.Suspend
	case key == "ctrl+c" && u.dialog != nil && u.dialog.leaves: // the second ctrl-c
		return tea.Quit
	case u.dialog != nil && key != "ctrl+c":
		return u.dialogKey(msg)
	case u.commands != nil && key != "ctrl+c":
		e := u.commands.key(msg)
		if e.closed {
			u.commands = nil
		}
		return u.handle(e)
	case u.menu != nil && key != "ctrl+c":
		e := u.menu.key(msg)
		if e.closed {
			u.menu = nil
		}
		return u.handle(e)
	case u.prompt != nil && key != "ctrl+c":
		e := u.prompt.key(msg)
		if e.closed {
			u.prompt = nil
		}
		return u.handle(e)
	}
	u.notice, u.options.Settings.FirstTime = notice{}, false
	if a := u.keys.find(key, u.scope()); a != nil {
		return u.perform(a)
	}
	return u.handle(refusal(key + " does nothing here: " + u.keys.keyOrCommand("help") + " lists the keys"))
}

func (u *ui) dialogKey(msg tea.KeyPressMsg) tea.Cmd {
	d := u.dialog
	e := d.key(msg)
	if e.closed {
		u.dialog = nil
		u.questions.remove(d.question)
	}
	return u.handle(e)
}

// paste inserts the first line of a pasted text where the operator is typing.
func (u *ui) paste(text string) {
	text, _, _ = strings.Cut(text, "\n")
	switch {
	case u.dialog != nil && u.dialog.input != nil:
		u.dialog.input.insert(text)
	case u.commands != nil:
		u.commands.input.insert(text)
	case u.prompt != nil:
		u.prompt.insert(text)
	}
}

// scope returns where keys go now.
func (u *ui) scope() scope {
	switch {
	case u.help.open:
		return inHelp
	case u.runsPage.open:
		return inRuns
	case u.page.row != nil || u.focus == onLog:
		return inLog
	}
	return inTable
}

// perform performs an action, or shows why it is not available.
func (u *ui) perform(a *action) tea.Cmd {
	if why := u.whyNot(a); why != "" {
		return u.handle(refusal(why))
	}
	return a.do(u)
}

// whyNot returns why an action is not available, or "".
func (u *ui) whyNot(a *action) string {
	switch {
	case a.changes && u.options.ReadOnly != "":
		return a.name + " is off: " + u.options.ReadOnly
	case a.unavailable != nil:
		return a.unavailable(u)
	}
	return ""
}

func (u *ui) everySecond() tea.Cmd {
	if u.list.changesWithHosts() {
		u.arrange()
	}
	if u.now.Sub(u.notice.shown) > noticeDuration {
		u.notice = notice{}
	}
	return tea.Batch(u.presence.check(u.now), u.handle(u.readPast()))
}

// readPast reads the past runs of the host that the preview shows, if that has not been done since
// its last run. Once a second is enough: the cursor may pass many hosts.
func (u *ui) readPast() effect {
	r, history := u.current(), u.options.Actions.History
	if r == nil || history == nil || r.pastRead || r.busy() || !u.hasPreview() {
		return effect{}
	}
	r.pastRead = true
	name := r.Name
	return run(background(func() tea.Msg {
		past, err := history(name)
		if err != nil {
			return noticeMsg{text: firstLine(err), bad: true}
		}
		return historyMsg{name, past}
	}))
}

func (u *ui) wheel(msg tea.MouseWheelMsg) tea.Cmd {
	lines := 3
	if msg.Button == tea.MouseWheelUp {
		lines = -3
	}
	return u.scroll(lines)
}

// current returns the row under the cursor, or nil if no host is shown.
func (u *ui) current() *row { return u.hosts.byName[u.list.cursor] }

// subject returns the row that keys are about: the host that fills the screen, or the one under the
// cursor.
func (u *ui) subject() *row {
	if u.page.row != nil {
		return u.page.row
	}
	return u.current()
}

// targets returns the hosts that an action is for: the one that fills the screen, or the marked
// ones, or the one under the cursor.
func (u *ui) targets() []*inventory.Host {
	if u.page.row != nil {
		return []*inventory.Host{u.page.row.Host}
	}
	if marked := u.hosts.marked(); marked != nil {
		return marked
	}
	if r := u.current(); r != nil {
		return []*inventory.Host{r.Host}
	}
	return nil
}

// pane returns the log, plan or list of generations that is shown.
func (u *ui) pane() *pane {
	if u.runsPage.open {
		return u.runsPage.pane(u.width)
	}
	if u.page.row != nil {
		return u.page.pane()
	}
	if r := u.logs.report; r != nil && u.logs.onReport {
		r.wrap(u.width)
		return &r.pane
	}
	if r := u.hosts.byName[u.logs.tab]; r != nil {
		return &r.log
	}
	if r := u.current(); u.logs.followCursor && r != nil {
		return &r.log
	}
	return &u.logs.fleet
}

// awayAfter is how long the terminal must have lost the focus before the operator counts as away.
const awayAfter = 5 * time.Minute

// presence knows whether the operator is looking at the table.
type presence struct {
	blurred time.Time       // when the terminal lost the focus; zero if it has it
	away    bool            // as last reported
	report  func(away bool) // nil if the owner does not want to know
}

// focus notes that the terminal has the focus again.
func (p *presence) focus() tea.Cmd {
	p.blurred = time.Time{}
	return p.setAway(false)
}

// check reports the operator as away once the terminal has been without the focus for long enough.
func (p *presence) check(now time.Time) tea.Cmd {
	if p.blurred.IsZero() || now.Sub(p.blurred) <= awayAfter {
		return nil
	}
	return p.setAway(true)
}

func (p *presence) setAway(away bool) tea.Cmd {
	if away == p.away || p.report == nil {
		return nil
	}
	p.away = away
	return background(func() tea.Msg { p.report(away); return nil })
}
