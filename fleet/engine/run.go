package engine

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/record"
)

// run is what the goroutines of one run share.
type run struct {
	engine    *Engine
	id        string
	start     *fleet.Start
	remote    string            // URL of the repository
	inventory []*inventory.Host // all hosts, for those that build for others
	plan      *fleet.Plan       // nil in an attached run, which launches nothing
	// number of leading waves that an earlier owner of the run has judged
	judgedWaves int
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
		slots: host.NewSlots(e.parallel(parallel)), policy: newPolicy(start), events: make(chan fleet.Event, 256),
	}
}

// inventoryHost returns the host of the inventory with that name, or nil.
func (r *run) inventoryHost(name string) *inventory.Host {
	i := slices.IndexFunc(r.inventory, func(h *inventory.Host) bool { return h.Name == name })
	if i < 0 {
		return nil
	}
	return r.inventory[i]
}

// parallel returns how many hosts to work on at once, of as many as the operator allows.
func (e *Engine) parallel(allowed int) int {
	if e.MaxHosts > 0 {
		return min(allowed, e.MaxHosts)
	}
	return allowed
}

// noteShortage notes that this machine, and not the operator, limits the number of hosts.
func (r *run) noteShortage(allowed, hosts int) {
	if n := r.engine.parallel(allowed); n < min(allowed, hosts) {
		r.logLine("", fleet.StreamNote, fmt.Sprintf("hosts at once: %d instead of %d, because of this machine's limit of open files (ulimit -n)", n, allowed))
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
