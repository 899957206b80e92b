package fleet

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"
)

// A panic while one host is worked on is told of that host: the others, and the terminal, are not to suffer for it.

// Fault is a panic, as an error.
type Fault struct {
	what  any
	Where []byte // the stack
}

func (f *Fault) Error() string { return fmt.Sprintf("fleetctl itself is at fault: %v", f.what) }

// Caught runs something, and returns its panic; nil where there was none.
func Caught(do func()) (f *Fault) {
	defer func() {
		if what := recover(); what != nil {
			f = &Fault{what, debug.Stack()}
		}
	}()
	do()
	return nil
}

// guarded is a worker's work, whose panic leaves the host's outcome open.
func (w *worker) guarded(ctx context.Context, work func(context.Context, *worker) *Result) (result *Result) {
	if f := Caught(func() { result = work(ctx, w) }); f != nil {
		for line := range strings.Lines(string(f.Where)) {
			w.say(w.host.Name, streamWarn, strings.TrimRight(strings.ReplaceAll(line, "\t", "  "), "\n"))
		}
		result = w.unknown(codeFault, f.Error())
	}
	return result
}
