package engine

import (
	"errors"
	"sync"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/record"
)

// run is what the goroutines of one run share.
type run struct {
	engine      *Engine
	id          string
	start       *fleet.Start
	remote      string      // URL of the repository
	plan        *fleet.Plan // nil in an attached run, which launches nothing
	judgedWaves int         // number of leading waves that an earlier owner of the run has judged
	journal     *record.Journal
	slots       host.Slots
	policy      *policy
	events      chan fleet.Event // to the recorder; closed when all work is done
	running     sync.WaitGroup   // host tasks
	abandoned   bool             // the context ended during a rollback; valid once events is closed

	mu   sync.Mutex
	errs error // why the record is incomplete
}

func (e *Engine) newRun(rec *record.Record, journal *record.Journal, parallel int, start *fleet.Start) *run {
	return &run{
		engine: e, id: rec.Run, start: start, journal: journal,
		slots: host.NewSlots(parallel), policy: newPolicy(start), events: make(chan fleet.Event, 256),
	}
}

// cancelled reports whether the run, or the run that it rolls back, was cancelled.
func (r *run) cancelled() bool {
	return r.journal.Record.CancelRequested() || r.start.Of != "" && r.engine.Records.At(r.start.Of).CancelRequested()
}

// recordError keeps an error of the operator's side, such as a full disk. No outcome depends on it.
func (r *run) recordError(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errs = errors.Join(r.errs, err)
}

func (r *run) recordErrors() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.errs
}

func (r *run) send(ev fleet.Event) { r.events <- ev }

// logLine adds a line of fleetctl's own to a host's log or, if host is "", to the run's.
func (r *run) logLine(host, stream, line string) {
	r.events <- fleet.Event{Type: fleet.LogLine, Host: host, Stream: stream, Line: line}
}
