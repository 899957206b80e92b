package engine

import (
	"fmt"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/record"
)

// recorder is where all events of a run end up: it numbers them, applies them to the run's state,
// writes them to the record and passes them on. It belongs to one goroutine.
type recorder struct {
	state   *fleet.State
	journal *record.Journal // nil while another process owns the run
	now     func() time.Time
	sink    func(fleet.Event)
	err     error // why the record is incomplete
}

func newRecorder(run string, j *record.Journal, now func() time.Time, sink func(fleet.Event)) *recorder {
	return &recorder{state: &fleet.State{Run: run}, journal: j, now: now, sink: sink}
}

// record handles a new event.
func (r *recorder) record(ev fleet.Event) {
	ev.Time = r.now()
	ev.Run = r.state.Run
	ev.Seq = r.state.Seq + 1
	r.state.Apply(ev)
	if r.err == nil && r.journal != nil {
		r.keep(r.journal.Append(ev))
	}
	r.sink(ev)
}

// replay handles an event from the record. Lines of a log that were read in between may have used
// up its number.
func (r *recorder) replay(ev fleet.Event) {
	ev.Seq = max(ev.Seq, r.state.Seq+1)
	r.state.Apply(ev)
	r.sink(ev)
}

// drain records events until the channel is closed. It syncs the record whenever there is a pause,
// so that a burst of events costs one sync.
func (r *recorder) drain(events <-chan fleet.Event) {
	for {
		select {
		case ev, open := <-events:
			if !open {
				return
			}
			r.record(ev)
			continue
		default:
		}
		if r.err == nil {
			r.keep(r.journal.Sync())
		}
		ev, open := <-events
		if !open {
			return
		}
		r.record(ev)
	}
}

// keep keeps the first error. The run continues without its record, and reports the error at its
// end.
func (r *recorder) keep(err error) {
	if r.err == nil && err != nil {
		r.err = fmt.Errorf("the record of run %s is incomplete: %w", r.state.Run, err)
	}
}
