package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// TableOptions is what a [Table] is given.
type TableOptions struct {
	In        io.Reader
	Out       io.Writer
	Environ   []string
	Profile   colorprofile.Profile
	Now       func() time.Time
	Inventory *inventory.Inventory
	Actions   Actions
	Settings  Settings
	ReadOnly  string // why nothing may be changed; "" lets it be
	Width     int    // of the window, with Height, if Out cannot be asked for it; 0 if it can
	Height    int
	Leaving   []string // what to know before leaving while something runs; none is that jobs go on, and how to attach to them
}

// Actions is what a table asks of its owner. They are called away from the screen, and may take their time; what they begin is heard
// of by [Table.Event]. An action that is nil is not offered.
type Actions struct {
	Deploy func(hosts []string, o fleet.Options) error
	Plan   func(hosts []string, o fleet.Options, build bool) error // [Table.Plan] tells what it finds
	Reboot func(hosts []string) error
	Trust  func(hosts []string) error // asks about the keys that they show, where those are unknown
	// Generations are those that a host could go back to, in any order.
	Generations func(host string) ([]host.Generation, error)
	Cancel      func(run string) error
	Attach      func() error // to every run that was left
	Exec        func(hosts []string, command string) error
	Shell       func(host string) (*exec.Cmd, error)
	// Log reads lines of a host's log from a run's record: most of them, from that number on, which is counted from the log's end where it is
	// negative. It returns the number of the first, and how many there are in all.
	Log func(run, host string, from, most int) (lines []Text, first, total int, err error)
	// Find returns the number of the line that a search finds, or -1 if it finds none.
	Find    func(LogSearch) (int, error)
	Refresh func(hosts []string) // looks at them again, now
	Away    func(away bool)      // nobody has looked for long, or somebody does again
	History func(host string) ([]Past, error)
}

// A LogSearch searches the lines of a host's log that [Actions.Log] reads.
type LogSearch struct {
	Run, Host string
	From, To  int  // the numbers of the lines to search, without To itself
	Last      bool // find the last matching line, not the first
	Match     func(Text) bool
}

// Settings is what the operator has configured.
type Settings struct {
	Theme   Theme
	Columns []string            // which, in which order; none are all
	Keys    map[string][]string // an action's name, and its keys instead of the usual ones
	Mouse   bool                // the wheel moves; the terminal's own selecting then wants shift
	Calm    bool                // nothing moves by itself: no bars, clocks in minutes
	Bell    bool                // ring when a run has ended, or a host has failed, and nobody looks
}

// Status is what was last seen of a host outside of runs.
type Status = host.HostStatus

// Target is the commit that the fleet should be at.
type Target struct {
	Revision string
	Subject  string
	Time     time.Time // of the commit; zero where that is not known
}

// Past is how a run of the past went for a host.
type Past struct {
	Run    string
	Time   time.Time
	Goal   string
	Result *fleet.Result // nil where it has none
}

// Table is the whole fleet on a screen of its own. Its methods may be called from any goroutine, until Run has returned and after.
type Table struct {
	program *tea.Program
	ui      *ui
	feed    *feed
	ended   chan struct{} // closed when the program has left the terminal
}

// tableFrames bounds how often a second the terminal is written to: a key waits for the next of them.
const tableFrames = 60

// NewTable makes a table, which takes the terminal when it is run.
func NewTable(ctx context.Context, o TableOptions) *Table { return newTable(ctx, o) }

func newTable(ctx context.Context, o TableOptions, more ...tea.ProgramOption) *Table {
	t := &Table{ui: newUI(o), ended: make(chan struct{})}
	if o.Width > 0 {
		more = append(more, tea.WithWindowSize(o.Width, o.Height))
	}
	t.program = tea.NewProgram(t.ui, append(more, tea.WithContext(ctx),
		tea.WithInput(o.In), tea.WithOutput(o.Out), tea.WithEnvironment(o.Environ), tea.WithColorProfile(o.Profile),
		tea.WithFPS(tableFrames))...)
	t.feed = newFeed(t.program)
	return t
}

// Run shows the table until somebody quits. SIGTERM is a way to quit; a panic gives the terminal back first, and is an error.
func (t *Table) Run() error {
	_, err := t.program.Run()
	close(t.ended)
	t.feed.close()
	switch {
	case t.ui.fault != nil:
		return fmt.Errorf("%w\n\n%s", t.ui.fault, t.ui.fault.Stack)
	case errors.Is(err, tea.ErrProgramPanic): // Bubble Tea has told of it
		return errors.New("bug in fleetctl: see the stack trace above")
	}
	return err
}

// Event tells of something that happened in a run. It never waits for the screen. A line of a log may come without a run.
func (t *Table) Event(ev fleet.Event) { t.feed.event(ev) }

// Note puts a line into the fleet's log, and shows it for a while.
func (t *Table) Note(line string) {
	t.feed.add(func(b *batch) { b.notes = append(b.notes, line) })
}

// Status updates what was seen of a host.
func (t *Table) Status(s Status) {
	t.feed.add(func(b *batch) { b.statuses = append(b.statuses, s) })
}

// LastRuns sets how the last run of each host ended, by the records. Hosts on which it failed show that until their next run.
func (t *Table) LastRuns(last map[string]health.LastRun) {
	t.feed.add(func(b *batch) { b.lastRuns = last })
}

// Doing tells what is done with a host beside a run, in a word, and "" that it is done.
func (t *Table) Doing(host, word string) {
	t.feed.add(func(b *batch) { b.doings = append(b.doings, doing{host, word}) })
}

// Text is a line that a person reads. Stream is as in [fleet.Event].
type Text struct{ Stream, Line string }

// Plan tells what a deploy would do on a host.
func (t *Table) Plan(host string, lines []Text) {
	t.feed.add(func(b *batch) { b.plans = append(b.plans, plan{host, lines}) })
}

// Target tells where the fleet should be.
func (t *Table) Target(at Target) { t.feed.add(func(b *batch) { b.target = &at }) }
