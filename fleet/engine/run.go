package engine

import (
	"context"
	"errors"
	"sync"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/record"
)

// run is what the goroutines of a run's hosts share.
type run struct {
	engine   *Engine
	id       string
	start    *fleet.Start
	remote   string      // the repository's address
	plan     *fleet.Plan // nil where the run is attached to: nothing is launched then
	passed   int         // the waves that an earlier owner has gone past: it has judged them
	journal  *record.Journal
	slots    host.Slots
	policy   *policy
	revision *pin
	events   chan fleet.Event // to the ledger; closed when all work is done
	going    sync.WaitGroup   // the parts
	left     bool             // in the middle of a rollback; to be read once events is closed

	mu   sync.Mutex
	errs error // what kept a log from being kept
}

func (e *Engine) newRun(record *record.Record, owned *record.Journal, parallel int, start *fleet.Start) *run {
	return &run{
		engine: e, id: record.Run, start: start, journal: owned,
		slots: host.NewSlots(parallel), policy: newPolicy(start), events: make(chan fleet.Event, 256),
	}
}

// waves takes the hosts through, wave after wave. begin ends, before ctx does, when no host is to be begun any more.
func (r *run) waves(ctx, begin context.Context, waves []fleet.Wave, parts map[string]*part, work func(context.Context, *worker) *fleet.Result) {
	early := r.start.BuildFirst || r.plan == nil // hosts that have begun before go on at once, whatever their wave
	if early {
		r.slots.Each(begin, fleet.HostsOf(waves), func(begin context.Context, h *inventory.Host) {
			if p := parts[h.Name]; !p.ended() {
				r.begin(ctx, begin, p, work)
				p.wait()
			}
		})
	}
	judged := r.passed == len(waves)   // the failure that halts the run
	judge := func(gone []fleet.Wave) { // those that have had their turn
		for _, wave := range gone {
			if judged || r.policy.reason() == "" || wave.Number != r.policy.failedWave() {
				continue
			}
			judged = true
			for _, h := range wave.Hosts {
				<-parts[h.Name].over // one that came online late may be at work
			}
			r.takeBack(ctx, begin, changedOf(wave, parts), parts)
		}
	}
	for i, wave := range waves {
		r.slots.Each(begin, wave.Hosts, func(begin context.Context, h *inventory.Host) {
			p := parts[h.Name]
			switch {
			case p.ended():
			case early:
				p.gate <- r.callOff(begin)
				<-p.over
			default:
				p.gate <- nil
				r.begin(ctx, begin, p, work)
				p.wait()
			}
		})
		if i < r.passed {
			continue
		}
		r.policy.endWave(wave.Number)
		r.soak(begin, wave, waves[i+1:], parts)
		judge(waves[:i+1])
	}
	r.going.Wait() // for those that were waited for
	judge(waves)
}

// changedOf are the hosts of a wave on which a new configuration is in place, as far as they have ended.
func changedOf(wave fleet.Wave, parts map[string]*part) []*inventory.Host {
	var changed []*inventory.Host
	for _, h := range wave.Hosts {
		p := parts[h.Name]
		if !p.ended() || p.result == nil || !p.changed {
			continue
		}
		switch p.result.Outcome {
		case fleet.Switched, fleet.Degraded, fleet.RebootNeeded:
			changed = append(changed, h)
		}
	}
	return changed
}

// cancelled reports whether somebody has cancelled the run, or the one that it is a part of.
func (r *run) cancelled() bool {
	return r.journal.Record.CancelRequested() || r.start.Of != "" && r.engine.Records.At(r.start.Of).CancelRequested()
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

func (r *run) send(ev fleet.Event) { r.events <- ev }

// say is a line of the engine's own about a host, or, with no host, about the run.
func (r *run) say(host, stream, line string) {
	r.events <- fleet.Event{Type: fleet.LogLine, Host: host, Stream: stream, Line: line}
}
