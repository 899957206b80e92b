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

// TableOptions configures a [Table].
type TableOptions struct {
	In        io.Reader
	Out       io.Writer
	Environ   []string
	Profile   colorprofile.Profile
	Now       func() time.Time
	Inventory *inventory.Inventory
	Actions   Actions
	Settings  Settings
	ReadOnly  string // why no host may be changed; "" if hosts may be changed
	Width     int    // of the window; 0 if Out is a terminal that knows its size
	Height    int
	// Leaving is what to show before the table is left while a run is in progress. The default says
	// that jobs continue and how to attach to them.
	Leaving []string
}

// Actions is what a table asks of its owner. The functions are called in the background and may
// take their time; runs that they start are reported by [Table.Event]. An action that is nil is not
// offered.
type Actions struct {
	Deploy func(hosts []string, o fleet.Options) error
	// Plan asks what a deploy would do. It reports its results to [Table.Plan].
	Plan   func(hosts []string, o fleet.Options, build bool) error
	Reboot func(hosts []string) error
	Trust  func(hosts []string) error // asks the operator about the unknown host keys of hosts
	// Generations returns the generations that a host could go back to, in any order.
	Generations func(host string) ([]host.Generation, error)
	Cancel      func(run string) error
	Attach      func() error // attaches to every abandoned run
	Exec        func(hosts []string, command string) error
	Shell       func(host string) (*exec.Cmd, error)
	// Local prepares a command line for sh on this machine, about a host.
	Local func(host, command string) (*exec.Cmd, error)
	// Log reads at most limit lines of a host's log from a run's record, starting at line number
	// from. A negative from counts from the end of the log. It returns the number of the first
	// line, and how many lines the log has.
	Log func(run, host string, from, limit int) (lines []Text, first, total int, err error)
	// Find returns the number of the line that a search finds, or -1 if it finds none.
	Find func(LogSearch) (int, error)
	// Pager prepares the operator's pager for a text. It reads the text from its standard input.
	Pager func(Page) (*exec.Cmd, error)
	// Edit prepares the operator's editor for the inventory. read reads it again afterwards.
	Edit    func() (cmd *exec.Cmd, read func() (Edited, error), err error)
	Refresh func(hosts []string) // checks hosts again, now
	// Away reports that the operator has been away for some time, or is back.
	Away    func(away bool)
	History func(host string) ([]PastRun, error)
	// Runs returns the runs in the record, newest first.
	Runs func() ([]RecordedRun, error)
	// ReadRun reads a run from the record: its state, and its events as lines.
	ReadRun func(run string) (*fleet.State, []Text, error)
	// Compare compares two runs, host by host.
	Compare  func(first, second string) ([]Text, error)
	AttachTo func(run string) error
	Prune    func() (removed int, err error) // removes old records
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
	Columns []string            // which columns to show, in order; all of them if it is empty
	Keys    map[string][]string // keys by the name of an action, instead of the default ones
	Filters []Filter            // saved ones, in the order of the menu
	// FirstTime shows the most useful keys until one is pressed.
	FirstTime bool
	// Commands are the operator's own, in the order of the help.
	Commands []Command
	// Mouse scrolls with the mouse. Selecting text in the terminal then needs shift.
	Mouse bool
	Calm  bool // no animation: no bars, clocks in minutes
	// Bell rings if a run finishes or a host fails while the terminal has lost the focus.
	Bell bool
}

// Filter is a filter with a name.
type Filter struct{ Name, Text string }

// Status is what was last seen of a host outside of runs.
type Status = host.Status

// Target is the commit that the fleet should be at.
type Target struct {
	Revision string
	Subject  string
	Time     time.Time // of the commit; zero if it is unknown
}

// PastRun is what a run of the past did on a host.
type PastRun struct {
	Run    string
	Time   time.Time
	Goal   string
	Result *fleet.Result // nil if it has none
}

// Table shows the whole fleet on a screen of its own. Its methods may be called from any goroutine,
// also after Run has returned.
type Table struct {
	program *tea.Program
	ui      *ui
	feed    *feed
	done    chan struct{} // closed when the program has left the terminal
}

// tableFramesPerSecond limits how often a Table writes to the terminal. The response to a key waits
// for the next frame.
const tableFramesPerSecond = 60

// NewTable returns a table. It does not use the terminal before [Table.Run].
func NewTable(ctx context.Context, o TableOptions) *Table { return newTable(ctx, o) }

func newTable(ctx context.Context, o TableOptions, more ...tea.ProgramOption) *Table {
	t := &Table{ui: newUI(o), done: make(chan struct{})}
	if o.Width > 0 {
		more = append(more, tea.WithWindowSize(o.Width, o.Height))
	}
	t.program = tea.NewProgram(t.ui, append(more, tea.WithContext(ctx),
		tea.WithInput(o.In), tea.WithOutput(o.Out), tea.WithEnvironment(o.Environ), tea.WithColorProfile(o.Profile),
		tea.WithFPS(tableFramesPerSecond))...)
	t.feed = newFeed(t.program)
	return t
}

// Run shows the table until the operator quits. SIGTERM quits, too. A panic is returned as an error
// after the terminal is released.
func (t *Table) Run() error {
	_, err := t.program.Run()
	close(t.done)
	t.feed.close()
	switch {
	case t.ui.panicked != nil:
		return fmt.Errorf("%w\n\n%s", t.ui.panicked, t.ui.panicked.Stack)
	case errors.Is(err, tea.ErrProgramPanic): // Bubble Tea has printed it
		return errors.New("bug in fleetctl: see the stack trace above")
	}
	return err
}

// Reopen reports whether the table was left only to be opened again, with the inventory that the
// operator has edited.
func (t *Table) Reopen() bool { return t.ui.reopen }

// Event adds an event of a run. It never waits for the screen. A log line may come without a run.
func (t *Table) Event(ev fleet.Event) { t.feed.event(ev) }

// Note appends a line to the fleet's log and shows it in the footer for a few seconds.
func (t *Table) Note(line string) {
	t.feed.add(func(b *batch) { b.notes = append(b.notes, line) })
}

// Status updates what was seen of a host.
func (t *Table) Status(s Status) {
	t.feed.add(func(b *batch) { b.statuses = append(b.statuses, s) })
}

// LastRuns sets how the last run of each host ended, by the records. Hosts on which it failed show
// that until their next run.
func (t *Table) LastRuns(last map[string]health.LastRun) {
	t.feed.add(func(b *batch) { b.lastRuns = last })
}

// Tests sets how the repository's tests last ended on each host.
func (t *Table) Tests(last map[string]health.TestRun) {
	t.feed.add(func(b *batch) { b.tests = last })
}

// Activity sets what is being done to a host outside of runs, in a word; "" is nothing.
func (t *Table) Activity(host, word string) {
	t.feed.add(func(b *batch) { b.activities = append(b.activities, activity{host, word}) })
}

// Text is a line to be read by the operator. Stream is as in [fleet.Event].
type Text struct{ Stream, Line string }

// Plan shows what a deploy would do on a host.
func (t *Table) Plan(host string, lines []Text) {
	t.feed.add(func(b *batch) { b.plans = append(b.plans, plan{host, lines}) })
}

// Output shows what a command has printed on several hosts. Those with the same output are shown
// together.
func (t *Table) Output(o Output) {
	t.feed.add(func(b *batch) { b.outputs = append(b.outputs, o) })
}

// Target sets the commit that the fleet should be at.
func (t *Table) Target(at Target) { t.feed.add(func(b *batch) { b.target = &at }) }
