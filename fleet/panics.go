package fleet

import (
	"fmt"
	"runtime/debug"
)

// PanicError is a panic as an error.
type PanicError struct {
	value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("bug in fleetctl: %v", e.value) }

// CatchPanic calls f and returns its panic, or nil if there was none. Work on one host runs in it,
// so that a bug affects neither other hosts nor the terminal.
func CatchPanic(f func()) (err *PanicError) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{v, debug.Stack()}
		}
	}()
	f()
	return nil
}
