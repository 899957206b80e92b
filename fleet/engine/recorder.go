package engine

import (
	"fmt"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/record"
)

// ledger is where all events of a run end up. It belongs to one goroutine, which numbers them, adds them up, records them and shows them.
type ledger struct {
	state   *fleet.State
	journal *record.Journal // nil while another process owns the run
	now     func() time.Time
	sink    func(fleet.Event)
	err     error // why the record is not whole
}

func newLedger(run string, j *record.Journal, now func() time.Time, sink func(fleet.Event)) *ledger {
	return &ledger{state: &fleet.State{Run: run}, journal: j, now: now, sink: sink}
}

// take handles an event that happens now.
func (l *ledger) take(ev fleet.Event) {
	ev.Time = l.now()
	ev.Run = l.state.Run
	ev.Seq = l.state.Seq + 1
	l.state.Apply(ev)
	if l.err == nil && l.journal != nil {
		l.keep(l.journal.Append(ev))
	}
	l.sink(ev)
}

// replay handles an event that was recorded before, maybe by another process. Lines of a log read in between may have taken its number.
func (l *ledger) replay(ev fleet.Event) {
	ev.Seq = max(ev.Seq, l.state.Seq+1)
	l.state.Apply(ev)
	l.sink(ev)
}

// drain takes events until the channel is closed. Whenever there is a pause, the record is synced: so a burst costs one.
func (l *ledger) drain(events <-chan fleet.Event) {
	for {
		select {
		case ev, open := <-events:
			if !open {
				return
			}
			l.take(ev)
			continue
		default:
		}
		if l.err == nil {
			l.keep(l.journal.Sync())
		}
		ev, open := <-events
		if !open {
			return
		}
		l.take(ev)
	}
}

// keep notes the first error. The run goes on without its record, and says so at the end.
func (l *ledger) keep(err error) {
	if l.err == nil && err != nil {
		l.err = fmt.Errorf("the record of run %s is not whole: %w", l.state.Run, err)
	}
}
