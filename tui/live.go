package tui

import (
	"io"
	"sync"
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

const (
	// batchEvery is how long events gather before the screen hears of them: one message an event would fall behind.
	batchEvery = 50 * time.Millisecond
	// framesASecond bounds how often the terminal is written to.
	framesASecond = 30
	// mostWaiting bounds the log lines that gather while the screen is away: they are whole on disk.
	mostWaiting = 4096
)

// Live shows one run. Its methods may be called from any goroutine until Close.
type Live struct {
	program *tea.Program
	ended   chan struct{} // closed when the program has left the terminal
	err     error         // why it left, set before ended is closed

	mu      sync.Mutex
	pending batch
	wake    chan struct{} // holds a token while pending is not empty
	closed  chan struct{}
	pump    sync.WaitGroup
}

// batch is what happened since the screen was last told.
type batch struct {
	events []fleet.Event
	notes  []string
}

// Start takes the terminal.
func Start(o Options) *Live { return start(o) }

func start(o Options, more ...tea.ProgramOption) *Live {
	l := &Live{
		ended:  make(chan struct{}),
		wake:   make(chan struct{}, 1),
		closed: make(chan struct{}),
	}
	l.program = tea.NewProgram(newModel(o), append(more,
		tea.WithInput(o.In), tea.WithOutput(o.Out), tea.WithEnvironment(o.Environ), tea.WithColorProfile(o.Profile),
		tea.WithFPS(framesASecond), tea.WithoutSignalHandler())...)
	go func() {
		_, l.err = l.program.Run()
		close(l.ended)
	}()
	l.pump.Go(l.deliver)
	return l
}

// Event tells of something that happened. It never waits for the screen.
func (l *Live) Event(ev fleet.Event) {
	l.mu.Lock()
	if ev.Type != fleet.LogLine || ev.Stream != "out" || len(l.pending.events) < mostWaiting {
		l.pending.events = append(l.pending.events, ev)
	}
	l.mu.Unlock()
	l.nudge()
}

// Note prints a line above the block.
func (l *Live) Note(line string) {
	l.mu.Lock()
	l.pending.notes = append(l.pending.notes, line)
	l.mu.Unlock()
	l.nudge()
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
	close(l.closed)
	l.pump.Wait()
	l.program.Send(doneMsg(l.take()))
	<-l.ended
	return l.err
}

// deliver hands what gathered to the program. Send waits while the terminal is given back, so this is nobody else's goroutine.
func (l *Live) deliver() {
	pause := time.NewTicker(batchEvery)
	defer pause.Stop()
	for {
		select {
		case <-l.closed:
			return
		case <-l.wake:
			l.program.Send(batchMsg(l.take()))
		}
		select {
		case <-l.closed:
			return
		case <-pause.C:
		}
	}
}

func (l *Live) nudge() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *Live) take() batch {
	l.mu.Lock()
	defer l.mu.Unlock()
	taken := l.pending
	l.pending = batch{}
	return taken
}
