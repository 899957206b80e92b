package tui

import (
	"fmt"
	"io"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/markus-barta/nixfleet/fleet"
)

type (
	batchMsg     batch
	doneMsg      batch               // the last batch
	asideMsg     struct{ do func() } // do needs the terminal
	asideDoneMsg struct{}            // do has returned
	tickMsg      struct{}            // a second has passed
)

// liveModel is the Bubble Tea model of a [Live]: the state of a run and the window it is drawn
// into.
type liveModel struct {
	state     fleet.State
	block     block
	now       func() time.Time
	interrupt func()
	aside     bool // something else uses the terminal: draw nothing
	done      bool // no more events come
	height    int
	palette   Palette
}

func newLiveModel(o Options) *liveModel {
	palette := NewPalette(o.Profile)
	return &liveModel{
		block:     newBlock(palette, o.Colors),
		palette:   palette,
		now:       o.Now,
		interrupt: o.Interrupt,
	}
}

func (m *liveModel) Init() tea.Cmd { return tick() }

func tick() tea.Cmd { return tea.Tick(time.Second, func(time.Time) tea.Msg { return tickMsg{} }) }

func (m *liveModel) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.block.width, m.height = msg.Width, msg.Height
	case tea.KeyPressMsg:
		switch msg.String() {
		case "ctrl+c":
			return m, func() tea.Msg { m.interrupt(); return nil }
		case "ctrl+z":
			return m, tea.Suspend
		}
	case tickMsg:
		return m, tick()
	case batchMsg:
		return m, m.apply(batch(msg))
	case doneMsg:
		m.done = true
		return m, tea.Sequence(m.apply(batch(msg)), tea.Quit)
	case asideMsg:
		m.aside = true
		return m, tea.Exec(aside(msg.do), func(error) tea.Msg { return asideDoneMsg{} })
	case asideDoneMsg:
		m.aside = false
	}
	return m, nil
}

// apply updates the state, and returns the command that prints messages above the block.
func (m *liveModel) apply(b batch) tea.Cmd {
	var above []tea.Cmd
	for _, ev := range b.events {
		m.state.Apply(ev)
		switch {
		case ev.Type != fleet.LogLine:
		case ev.Host == "": // about the run: no host's line shows it
			above = append(above, m.print(ev.Line))
		case ev.Stream == "warn":
			name := m.block.inks[ev.Host].Paint(ev.Host)
			above = append(above, m.print(fmt.Sprintf("%s: %s %s", name, m.palette.Warn.Paint("warning:"), ev.Line)))
		}
	}
	for _, note := range b.notes {
		above = append(above, m.print(note))
	}
	return tea.Sequence(above...)
}

// print wraps a line, because the renderer has to know how many rows it takes. It wraps before the
// last column: a terminal that clears the rest of a full line clears its last character.
func (m *liveModel) print(line string) tea.Cmd {
	if m.block.width > 1 {
		line = ansi.Wrap(line, m.block.width-1, "")
	}
	return tea.Println(line)
}

func (m *liveModel) View() tea.View {
	if m.aside || m.block.width == 0 {
		return tea.NewView("")
	}
	height := m.height - 2
	if m.done && m.state.Summary != nil {
		height = 1 // the summary that follows has a line for each host
	}
	// The last line stays empty: it has the cursor, and the shell continues there. One more is kept
	// free for a line that is printed above.
	return tea.NewView(m.block.render(&m.state, height, m.now()))
}

// aside is a function that Bubble Tea runs the way it runs an editor.
type aside func()

// Run calls the function and pauses. Bubble Tea stops its clock concurrently with the call that
// releases the terminal; if Run returned sooner, the clock could stay stopped.
func (do aside) Run() error {
	do()
	time.Sleep(batchInterval)
	return nil
}

func (aside) SetStdin(io.Reader)  {}
func (aside) SetStdout(io.Writer) {}
func (aside) SetStderr(io.Writer) {}
