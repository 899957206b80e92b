package fleet

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// run is what the goroutines of a run's hosts share.
type run struct {
	engine   *Engine
	id       string
	goal     string
	plan     *Plan // nil where the run is attached to: nothing is launched then
	journal  *journal
	parallel int
	revision *pin
	events   chan Event // to the ledger; closed when all work is done

	mu   sync.Mutex
	errs error // what kept a log from being kept
}

func (e *Engine) newRun(record *Record, owned *journal, parallel int) *run {
	return &run{engine: e, id: record.Run, journal: owned, parallel: parallel, events: make(chan Event, 256)}
}

// waves takes the hosts through, wave after wave. begin ends, before ctx does, when no host is to be begun any more.
func (r *run) waves(ctx, begin context.Context) {
	pinning := r.pinRevision(ctx)
	defer pinning()
	stop := "" // why later waves are not begun
	for _, wave := range r.plan.Waves {
		results := make(chan namedResult, len(wave.Hosts))
		Each(begin, wave.Hosts, r.parallel, func(begin context.Context, h *inventory.Host) {
			if result := r.host(ctx, begin, h, stop); result != nil {
				r.events <- Event{Type: HostFinished, Host: h.Name, Result: result}
				results <- namedResult{h.Name, result}
			}
		})
		close(results)
		if bad := failures(results); bad != "" && stop == "" {
			stop = fmt.Sprintf("wave %d failed: %s", wave.Number, bad)
		}
	}
}

// host is one host's part of the run. It is nil where that has not ended.
func (r *run) host(ctx, begin context.Context, h *inventory.Host, stop string) *Result {
	switch {
	case ctx.Err() != nil:
		return nil
	case stop != "":
		return &Result{Outcome: Skipped, Code: codeWave, Reason: stop, Hint: "mend that, then deploy again"}
	case r.journal.record.cancelAsked():
		return cancelledBefore()
	case begin.Err() != nil:
		return &Result{Outcome: Skipped, Code: codeInterrupted, Reason: "interrupted before it began"}
	}
	w := r.newWorker(h)
	return w.finish(w.launch(ctx))
}

// namedResult is a result on its way from a host's goroutine to the wave's.
type namedResult struct {
	host   string
	result *Result
}

// failures names the hosts that keep the next wave from going. One that could not be reached does not: nothing happened to it.
func failures(results <-chan namedResult) string {
	var names []string
	for r := range results {
		if o := r.result.Outcome; !o.Good() && o != Unreachable {
			names = append(names, r.host)
		}
	}
	return strings.Join(names, ", ")
}

// complain notes what is wrong on the operator's own side; no host's outcome depends on it.
func (r *run) complain(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errs = errors.Join(r.errs, err)
}

func (r *run) trouble() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.errs
}

func (r *run) send(ev Event) { r.events <- ev }

// say is a line of the engine's own about a host.
func (r *run) say(host, stream, line string) {
	r.events <- Event{Type: LogLine, Host: host, Stream: stream, Line: line}
}
