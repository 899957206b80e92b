package fleet

import (
	"fmt"
	"runtime/debug"
)

// A panic while one host is worked on is told of that host: the others, and the terminal, are not to suffer for it.

// Fault is a panic, as an error.
type PanicError struct {
	what  any
	Where []byte // the stack
}

func (f *PanicError) Error() string { return fmt.Sprintf("fleetctl itself is at fault: %v", f.what) }

// Caught runs something, and returns its panic; nil where there was none.
func CatchPanic(do func()) (f *PanicError) {
	defer func() {
		if what := recover(); what != nil {
			f = &PanicError{what, debug.Stack()}
		}
	}()
	do()
	return nil
}
