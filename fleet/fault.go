package fleet

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"
)

// A panic while one host is worked on is told of that host: the others, and the terminal, are not to suffer for it.

// fault is a panic, as an error.
type fault struct {
	what  any
	where []byte
}

func (f *fault) Error() string { return fmt.Sprintf("fleetctl itself is at fault: %v", f.what) }
func (f *fault) Hint() string  { return "report it with what stands in the host's log, please" }

// caught runs something, and returns its panic.
func caught(do func()) (f *fault) {
	defer func() {
		if what := recover(); what != nil {
			f = &fault{what, debug.Stack()}
		}
	}()
	do()
	return nil
}

// guarded is a worker's work, whose panic leaves the host's outcome open.
func (w *worker) guarded(ctx context.Context, work func(context.Context, *worker) *Result) (result *Result) {
	if f := caught(func() { result = work(ctx, w) }); f != nil {
		for line := range strings.Lines(string(f.where)) {
			w.say(w.host.Name, streamWarn, strings.TrimRight(strings.ReplaceAll(line, "\t", "  "), "\n"))
		}
		result = w.unknown(codeFault, f.Error())
	}
	return result
}
