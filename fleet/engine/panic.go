package engine

import (
	"context"
	"strings"

	"github.com/markus-barta/nixfleet/fleet"
)

// A panic while one host is worked on is told of that host: the others, and the terminal, are not to suffer for it.

// guarded is a worker's work, whose panic leaves the host's outcome open.
func (w *worker) guarded(ctx context.Context, work func(context.Context, *worker) *fleet.Result) (result *fleet.Result) {
	if f := fleet.CatchPanic(func() { result = work(ctx, w) }); f != nil {
		for line := range strings.Lines(string(f.Where)) {
			w.say(w.host.Name, fleet.StreamWarn, strings.TrimRight(strings.ReplaceAll(line, "\t", "  "), "\n"))
		}
		result = w.unknown(fleet.CodeFault, f.Error())
	}
	return result
}
