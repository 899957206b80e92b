package tui

import (
	tea "charm.land/bubbletea/v2"

	"github.com/markus-barta/nixfleet/fleet"
)

// A panic outside the screen's own goroutine ends the table by a message, a [*fleet.Fault]: Bubble Tea would tell of one in a command before
// it gives the terminal back, where nobody can read it.

// beside is a command: something done away from the screen.
func beside(do func() tea.Msg) tea.Cmd {
	return func() (msg tea.Msg) {
		if f := fleet.CatchPanic(func() { msg = do() }); f != nil {
			return f
		}
		return msg
	}
}

// Guard runs what works for a table: should it panic, the table ends of it, and not the process.
func (t *Table) Guard(do func()) {
	if f := fleet.CatchPanic(do); f != nil {
		t.program.Send(f)
		<-t.ended
	}
}
