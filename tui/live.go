package tui

import (
	"io"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/markus-barta/nixfleet/fleet"
)

// Options is what a [Live] is given.
type Options struct {
	In        io.Reader // the terminal's keys; nil reads none
	Out       io.Writer
	Environ   []string
	Profile   colorprofile.Profile
	Colors    map[string]string // a host's own colour, "#rrggbb" or ""
	Now       func() time.Time
	Interrupt func() // ctrl-c was pressed; must not block
}

// framesASecond bounds how often the terminal is written to.
const framesASecond = 30

// Live shows one run. Its methods may be called from any goroutine until Close.
type Live struct {
	program *tea.Program
	ended   chan struct{} // closed when the program has left the terminal
	err     error         // why it left, set before ended is closed
	feed    *feed
}

// Start takes the terminal.
func Start(o Options) *Live { return start(o) }

func start(o Options, more ...tea.ProgramOption) *Live {
	l := &Live{ended: make(chan struct{})}
	l.program = tea.NewProgram(newModel(o), append(more,
		tea.WithInput(o.In), tea.WithOutput(o.Out), tea.WithEnvironment(o.Environ), tea.WithColorProfile(o.Profile),
		tea.WithFPS(framesASecond), tea.WithoutSignalHandler())...)
	go func() {
		_, l.err = l.program.Run()
		close(l.ended)
	}()
	l.feed = newFeed(l.program)
	return l
}

// Event tells of something that happened. It never waits for the screen.
func (l *Live) Event(ev fleet.Event) { l.feed.event(ev) }

// Note prints a line above the block.
func (l *Live) Note(line string) {
	l.feed.add(func(b *batch) { b.notes = append(b.notes, line) })
}

// Aside gives the terminal back while do uses it, and takes it again.
func (l *Live) Aside(do func()) {
	ran := make(chan struct{})
	l.program.Send(asideMsg{func() { defer close(ran); do() }})
	select {
	case <-ran:
	case <-l.ended:
		select {
		case <-ran:
		default:
			do() // the screen left before it came to it: the terminal is free
		}
	}
}

// Close draws what is still to be drawn and gives the terminal back, the block staying on it.
func (l *Live) Close() error {
	l.program.Send(doneMsg(l.feed.close()))
	<-l.ended
	return l.err
}
