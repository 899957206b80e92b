package tui

import (
	"io"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/markus-barta/nixfleet/fleet"
)

// Options configures a [Live].
type Options struct {
	In        io.Reader // the terminal's keys; nil reads none
	Out       io.Writer
	Environ   []string
	Profile   colorprofile.Profile
	Colors    map[string]string // the color of each host, "#rrggbb" or ""
	Now       func() time.Time
	Interrupt func() // called when ctrl-c is pressed; must not block
}

// framesPerSecond limits how often a Live writes to the terminal.
const framesPerSecond = 30

// Live shows one run. Its methods may be called from any goroutine until Close.
type Live struct {
	program *tea.Program
	done    chan struct{} // closed when the program has left the terminal
	err     error         // why it left, set before done is closed
	feed    *feed
}

// Start shows an empty block on the terminal.
func Start(o Options) *Live { return start(o) }

func start(o Options, more ...tea.ProgramOption) *Live {
	l := &Live{done: make(chan struct{})}
	l.program = tea.NewProgram(newLiveModel(o), append(more,
		tea.WithInput(o.In), tea.WithOutput(o.Out), tea.WithEnvironment(o.Environ), tea.WithColorProfile(o.Profile),
		tea.WithFPS(framesPerSecond), tea.WithoutSignalHandler())...)
	go func() {
		_, l.err = l.program.Run()
		close(l.done)
	}()
	l.feed = newFeed(l.program)
	return l
}

// Event adds an event of the run. It never waits for the screen.
func (l *Live) Event(ev fleet.Event) { l.feed.event(ev) }

// Note prints a line above the block.
func (l *Live) Note(line string) {
	l.feed.add(func(b *batch) { b.notes = append(b.notes, line) })
}

// Aside releases the terminal while do uses it, and returns when do has.
func (l *Live) Aside(do func()) {
	ran := make(chan struct{})
	l.program.Send(asideMsg{func() { defer close(ran); do() }})
	select {
	case <-ran:
	case <-l.done:
		select {
		case <-ran:
		default:
			do() // the program ended before it got to the message, so the terminal is free
		}
	}
}

// Close draws what is pending and releases the terminal. The block stays on the screen; of a
// finished run, only its header does.
func (l *Live) Close() error {
	l.program.Send(doneMsg(l.feed.close()))
	<-l.done
	return l.err
}
