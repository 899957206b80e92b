package tui

import (
	"fmt"
	"runtime/debug"

	tea "charm.land/bubbletea/v2"
)

// fault is a panic outside the screen's own goroutine, on its way there: Bubble Tea would tell of one in a command before it gives the terminal
// back, where nobody can read it.
type fault struct {
	what  any
	where []byte
}

func (f *fault) Error() string {
	return fmt.Sprintf("fleetctl itself is at fault: %v\n\n%s", f.what, f.where)
}

// beside is a command: something done away from the screen.
func beside(do func() tea.Msg) tea.Cmd {
	return func() (msg tea.Msg) {
		defer func() {
			if what := recover(); what != nil {
				msg = &fault{what, debug.Stack()}
			}
		}()
		return do()
	}
}

// Rescue is to be deferred by goroutines that work for a table: should one panic, the table ends of it, and not the process.
func (t *Table) Rescue() {
	what := recover()
	if what == nil {
		return
	}
	t.program.Send(&fault{what, debug.Stack()})
	<-t.ended
}
