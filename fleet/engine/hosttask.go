package engine

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// part is one host's part of a run. Its goroutine may outlast the host's turn in its wave, and come before it: where it only waits, for all
// others to be built or for the host to be online, other hosts have the slot.
type part struct {
	host *inventory.Host
	gate chan *fleet.Result // takes one: nil lets the host activate, a result calls it off

	resting sync.Once
	rests   chan struct{} // closed once the part only waits
	over    chan struct{} // closed at its end; the rest may be read after that
	at      time.Time     // its end
	result  *fleet.Result // nil where the part was left
	changed bool          // a configuration was activated
	to      int           // the generation to go back to, to undo that; 0 where it is not known
}

func newParts(hosts []*inventory.Host) map[string]*part {
	parts := make(map[string]*part, len(hosts))
	for _, h := range hosts {
		parts[h.Name] = &part{host: h, gate: make(chan *fleet.Result, 1), rests: make(chan struct{}), over: make(chan struct{})}
	}
	return parts
}

// rest gives the part's slot to others.
func (p *part) rest() { p.resting.Do(func() { close(p.rests) }) }

// ended reports whether the part has come to its end.
func (p *part) ended() bool {
	select {
	case <-p.over:
		return true
	default:
		return false
	}
}

// wait returns when the part needs no slot.
func (p *part) wait() {
	select {
	case <-p.rests:
	case <-p.over:
	}
}

// begin starts the part in a goroutine of its own, unless the host is not to be begun any more.
func (r *run) begin(ctx, begin context.Context, p *part, work func(context.Context, *worker) *fleet.Result) {
	switch off := r.callOff(begin); {
	case ctx.Err() != nil, r.plan == nil && begin.Err() != nil:
		r.end(p, nil)
		return
	case r.plan != nil && off != nil:
		r.end(p, off)
		return
	}
	r.going.Go(func() {
		w := r.newWorker(p)
		result := w.finish(w.guarded(ctx, work))
		p.changed = w.changed
		p.to, _ = strconv.Atoi(w.facts[fleet.FactPrevious])
		r.end(p, result)
	})
}

// end tells the part's outcome. There is none where the operator's side leaves.
func (r *run) end(p *part, result *fleet.Result) {
	if result != nil {
		p.result = result
		r.policy.count(p.host.Name, result.Outcome)
		r.events <- fleet.Event{Type: fleet.HostFinished, Host: p.host.Name, Result: result}
	}
	p.at = time.Now()
	close(p.over)
}

// replay is the end of a part that came to it before this process went on with the run.
func (p *part) replay(h *fleet.HostState) {
	p.result, p.changed, p.at = h.Result, h.Changed, h.Since
	p.to, _ = strconv.Atoi(h.Facts[fleet.FactPrevious])
	close(p.over)
}

// callOff is the result of a host that is not to be begun, or, once built, not to be activated; nil where it is.
func (r *run) callOff(begin context.Context) *fleet.Result {
	switch why := r.policy.reason(); {
	case r.cancelled():
		return cancelledBefore("it began")
	case why != "":
		return &fleet.Result{Outcome: fleet.Skipped, Code: fleet.CodeWave, Reason: why, Hint: "mend that, then deploy again"}
	case begin.Err() != nil:
		return &fleet.Result{Outcome: fleet.Skipped, Code: fleet.CodeInterrupted, Reason: "interrupted before it began"}
	}
	return nil
}
