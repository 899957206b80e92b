package tui

import (
	tea "charm.land/bubbletea/v2"

	"github.com/markus-barta/nixfleet/fleet"
)

// A panic outside the screen's own goroutine ends the table through a message, a
// [*fleet.PanicError]. Bubble Tea would print a panic in a command to the screen that it is about
// to leave, so that it could not be read.

// background returns a command that runs outside the screen's goroutine.
func background(do func() tea.Msg) tea.Cmd {
	return func() (msg tea.Msg) {
		if err := fleet.CatchPanic(func() { msg = do() }); err != nil {
			return err
		}
		return msg
	}
}

// Guard runs a function that works for the table. If it panics, Guard ends the table, which returns
// the panic from Run, and the process continues.
func (t *Table) Guard(do func()) {
	if err := fleet.CatchPanic(do); err != nil {
		t.program.Send(err)
		<-t.done
	}
}
