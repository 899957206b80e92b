package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
)

type (
	askMsg   struct{ *question }
	unaskMsg struct{ *question }
	flashMsg struct { // something to be read once
		text string
		bad  bool
	}
	pastMsg struct {
		host string
		past []Past
	}
)

// focus is what the keys move.
type focus int

const (
	onTable focus = iota
	onLog
)

// ui is the model of the table. Plain structs hang off it; nothing in it waits for anything.
type ui struct {
	o    TableOptions
	keys keymap
	brush
	columns []column // all that were chosen
	fits    []column // those that there is room for
	fitsFor uint64   // the layout that fits was worked out for
	dark    bool

	width, height int
	now           time.Time // of the last message: one frame shows one moment
	layout        uint64    // rises when all rows look different

	rows   []*row // in the inventory's order
	byName map[string]*row
	names  int // the widest name
	list   list
	tally  [health.NumStates]int // how many hosts are in each state
	marked int
	words  tallied
	target Target
	lock   string // the checksum of flake.lock that hosts are compared with

	runs   map[string]*fleet.State
	shares map[string]int // of each run, the sum of its hosts' shares: no frame goes through all of them
	order  []string       // of runs, the newest last
	done   int            // of all that the living runs have to do, in hundredths
	log    pane           // the fleet's

	focus    focus
	tab      string // the host whose log shows; "" is the fleet's, or with follow that of the host under the cursor
	follow   bool
	pins     []string // hosts whose logs have a tab of their own
	open     string   // the host that fills the screen, or ""
	part     part     // and what of it shows below its facts
	past     []Past   // of that host
	manner   manner
	help     bool
	helpTop  int
	prompt   *prompt
	commands *commands
	dialog   *dialog
	asked    []*question // that wait for a dialog to go

	flash   flashMsg
	flashed time.Time
	blurred time.Time // nobody looks since then; zero while somebody does
	away    bool      // and for so long that the owner was told
	quit    bool
	fault   *fleet.PanicError // why the table ends; nil where somebody leaves it
}

const (
	hostLines  = 2000   // of a host's log that are kept
	allLines   = 400000 // of all of them: a fleet of more than 200 hosts keeps fewer of each
	leastLines = 100    // but never fewer than these
	fleetLines = 10000  // of the fleet's own log
)

func newUI(o TableOptions) *ui {
	u := &ui{
		o: o, dark: true, follow: true, now: o.Now(),
		byName: map[string]*row{}, runs: map[string]*fleet.State{}, shares: map[string]int{},
		log: pane{tail: newTail(fleetLines)},
	}
	lines := min(max(allLines/max(len(o.Inventory.Hosts), 1), leastLines), hostLines)
	for i, h := range o.Inventory.Hosts {
		r := &row{Host: h, place: i, log: pane{tail: newTail(lines)}}
		u.rows = append(u.rows, r)
		u.byName[h.Name] = r
		u.names = max(u.names, ansi.StringWidth(h.Name))
		r.judged = r.judge(health.Target{})
		u.tally[r.judged.State]++
	}
	u.keys = newKeymap(o.Settings.Keys)
	u.columns = chosen(columnTable(), o.Settings.Columns)
	u.paint()
	u.list.sort = unsorted
	u.arrange()
	return u
}

// chosen are the columns that were asked for, in the order in which they were.
func chosen(all []column, names []string) []column {
	if len(names) == 0 {
		return all
	}
	var some []column
	for _, name := range names {
		for _, c := range all {
			if c.name == name {
				some = append(some, c)
			}
		}
	}
	return some
}

// paint makes the inks anew.
func (u *ui) paint() {
	colors := make(map[string]string, len(u.rows))
	for _, r := range u.rows {
		colors[r.Name] = r.Color
	}
	u.brush = newBrush(u.o.Settings.Theme.Palette(u.o.Profile, u.dark), colors)
	u.layout++
}

func (u *ui) Init() tea.Cmd { return tea.Batch(tea.RequestBackgroundColor, tick()) }

func (u *ui) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	u.now = u.o.Now()
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		u.width, u.height = msg.Width, msg.Height
		u.layout++
		u.keepInView()
	case tea.BackgroundColorMsg:
		if dark := msg.IsDark(); dark != u.dark {
			u.dark = dark
			u.paint()
		}
	case tea.KeyPressMsg:
		cmd := u.key(msg)
		u.nextQuestion()
		return u, cmd
	case tea.PasteMsg:
		u.paste(msg.Content)
	case tea.MouseWheelMsg:
		return u, u.wheel(msg)
	case tickMsg:
		return u, tea.Batch(tick(), u.second())
	case batchMsg:
		return u, u.apply(batch(msg))
	case flashMsg:
		if msg.text != "" {
			u.say(msg)
		}
	case pastMsg:
		if msg.host == u.open {
			u.past = msg.past
			return u, u.recall(u.byName[msg.host])
		}
	case generationsMsg:
		u.choose(msg)
	case listedMsg:
		u.listed(msg)
	case pageMsg:
		u.turn(msg)
	case askMsg:
		u.asked = append(u.asked, msg.question)
		u.nextQuestion()
	case unaskMsg:
		u.forget(msg.question)
	case *fleet.PanicError:
		u.fault = msg
		return u, tea.Quit
	case tea.BlurMsg:
		u.blurred = u.now
	case tea.FocusMsg:
		u.blurred = time.Time{}
		return u, u.setAway(false)
	}
	return u, nil
}

// awayAfter is for how long nobody has to look before hosts are left in peace.
const awayAfter = 5 * time.Minute

// second is what happens once in one.
func (u *ui) second() tea.Cmd {
	if u.list.live() {
		u.arrange()
	}
	if !u.flashed.IsZero() && u.now.Sub(u.flashed) > 6*time.Second {
		u.flash, u.flashed = flashMsg{}, time.Time{}
	}
	if !u.blurred.IsZero() && u.now.Sub(u.blurred) > awayAfter {
		return u.setAway(true)
	}
	return nil
}

func (u *ui) setAway(away bool) tea.Cmd {
	if away == u.away || u.o.Actions.Away == nil {
		return nil
	}
	u.away = away
	return beside(func() tea.Msg { u.o.Actions.Away(away); return nil })
}

func (u *ui) say(f flashMsg) { u.flash, u.flashed = f, u.now }

func (u *ui) tell(text string)   { u.say(flashMsg{text: text}) }
func (u *ui) refuse(text string) { u.say(flashMsg{text: text, bad: true}) }

func (u *ui) wheel(msg tea.MouseWheelMsg) tea.Cmd {
	lines := 3
	if msg.Button == tea.MouseWheelUp {
		lines = -3
	}
	if u.focus == onLog || u.open != "" {
		return u.scrollLog(lines)
	}
	u.move(lines)
	return nil
}

// here is the row under the cursor; nil where nothing shows.
func (u *ui) here() *row { return u.byName[u.list.cursor] }

// pane is the log that shows.
func (u *ui) pane() *pane {
	switch {
	case u.open != "" && u.part == planPart:
		return u.byName[u.open].plan
	case u.open != "" && u.part == generationsPart:
		return u.byName[u.open].generations
	case u.open != "":
		return &u.byName[u.open].log
	case u.tab != "":
		return &u.byName[u.tab].log
	case u.follow && u.here() != nil:
		return &u.here().log
	}
	return &u.log
}
