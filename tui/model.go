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
	batchMsg batch
	doneMsg  batch               // the last batch: the run is over, or is left
	asideMsg struct{ do func() } // do needs the terminal
	backMsg  struct{}            // the terminal is ours again
	tickMsg  struct{}            // a second has passed
)

// model is the block: a run's state, and the window it is drawn into.
type model struct {
	state   fleet.State
	block   block
	now     func() time.Time
	press   func()
	aside   bool // the terminal is somebody else's: draw nothing
	height  int
	palette Palette
}

func newModel(o Options) *model {
	palette := NewPalette(o.Profile)
	return &model{
		block:   newBlock(palette, o.Colors),
		palette: palette,
		now:     o.Now,
		press:   o.Interrupt,
	}
}

func (m *model) Init() tea.Cmd { return tick() }

func tick() tea.Cmd { return tea.Tick(time.Second, func(time.Time) tea.Msg { return tickMsg{} }) }

func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.block.width, m.height = msg.Width, msg.Height
	case tea.KeyPressMsg:
		switch msg.String() {
		case "ctrl+c":
			return m, func() tea.Msg { m.press(); return nil }
		case "ctrl+z":
			return m, tea.Suspend
		}
	case tickMsg:
		return m, tick()
	case batchMsg:
		return m, m.apply(batch(msg))
	case doneMsg:
		return m, tea.Sequence(m.apply(batch(msg)), tea.Quit)
	case asideMsg:
		m.aside = true
		return m, tea.Exec(aside(msg.do), func(error) tea.Msg { return backMsg{} })
	case backMsg:
		m.aside = false
	}
	return m, nil
}

// apply brings the state up to date, and returns the command that prints above the block what must stay to be read.
func (m *model) apply(b batch) tea.Cmd {
	var above []tea.Cmd
	for _, ev := range b.events {
		m.state.Apply(ev)
		switch {
		case ev.Type != fleet.LogLine:
		case ev.Host == "": // about the run: no host's line has it
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

// print wraps a line itself, as the renderer has to know how many rows it takes; and short of the last column, since a terminal that
// is asked to clear the rest of a full line clears its last character.
func (m *model) print(line string) tea.Cmd {
	if m.block.width > 1 {
		line = ansi.Wrap(line, m.block.width-1, "")
	}
	return tea.Println(line)
}

func (m *model) View() tea.View {
	if m.aside || m.block.width == 0 {
		return tea.NewView("")
	}
	// The last line stays empty: it is where the cursor is, and where the shell goes on. One more is kept free for a
	// line to be printed above.
	return tea.NewView(m.block.render(&m.state, m.height-2, m.now()))
}

// aside is a func that Bubble Tea runs as it would run an editor.
type aside func()

// Run waits a moment in any case: Bubble Tea stops its clock beside the call that gives the terminal back, and one that came back
// sooner than that would find the clock stopped for good.
func (do aside) Run() error {
	do()
	time.Sleep(batchEvery)
	return nil
}

func (aside) SetStdin(io.Reader)  {}
func (aside) SetStdout(io.Writer) {}
func (aside) SetStderr(io.Writer) {}
