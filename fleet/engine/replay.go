package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/record"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

// pollInterval is how often a replayer checks whether the record has grown.
const pollInterval = 200 * time.Millisecond

// replayer shows a run from its record, while the owner writes it. It belongs to the recorder's
// goroutine.
type replayer struct {
	record *record.Record
	out    *recorder
	events *record.EventReader
	hosts  map[string]*hostReplay // hosts without a final outcome
}

// hostReplay is what a record has of a host without a final outcome.
type hostReplay struct {
	host        string
	log         string // the name of its log in the record
	hasStarted  bool
	started     time.Time
	waitsOnline bool            // the run waited for it to come online
	recorded    map[string]bool // its events, by eventKey
	nonce       string
	reader      *logReader    // nil before there was a log
	offset      int64         // how much of the log was read
	items       []remote.Item // markers in the log

	build *hostReplay // of the log of the job on the host that builds for it; it has only a log
}

func newReplayer(rec *record.Record, out *recorder) *replayer {
	return &replayer{record: rec, out: out, events: rec.Events(), hosts: map[string]*hostReplay{}}
}

// watch returns when the run has finished or ctx ends. If the run has no owner anymore, it returns
// the journal: this process owns the run from then on.
func (p *replayer) watch(ctx context.Context) (*record.Journal, error) {
	for again := false; ; again = true {
		// Take the lock first: then everything that the last owner wrote is there.
		journal, err := p.record.Acquire()
		if err != nil && !errors.Is(err, record.ErrOwned) {
			return nil, err
		}
		err = p.poll(again)
		s := p.out.state
		finished := s.Summary != nil && (again || journal == nil || s.Settled())
		switch {
		case err == nil && journal != nil && s.Start == nil:
			err = fmt.Errorf("run %s is empty: fleetctl stopped before it recorded anything", p.record.Run)
		case err == nil && journal != nil && !finished:
			return journal, nil
		}
		if journal != nil {
			journal.Close()
		}
		if err != nil || finished || !host.Sleep(ctx, pollInterval) {
			return nil, err
		}
	}
}

// poll shows what is new. The log of a host that finishes is shown to its end before the outcome.
// The log of a host that had finished before the first poll is not shown.
func (p *replayer) poll(again bool) error {
	err := p.events.Read(func(ev fleet.Event) {
		if again && ev.Type == fleet.HostFinished {
			_ = p.readLog(ev.Host)
			p.readLogEnd(ev.Host)
		}
		p.out.replay(ev)
		p.note(ev)
	})
	for name := range p.hosts {
		err = errors.Join(err, p.readLog(name))
	}
	return err
}

// note keeps what is needed to take a host over.
func (p *replayer) note(ev fleet.Event) {
	if ev.Type == fleet.RunStarted {
		for _, h := range p.out.state.Hosts {
			rp := &hostReplay{host: h.Name, log: h.Name, recorded: map[string]bool{}}
			if h.Builder != "" {
				rp.build = &hostReplay{host: h.Name, log: record.BuildLog(h.Name), recorded: rp.recorded}
			}
			p.hosts[h.Name] = rp
		}
	}
	rp := p.hosts[ev.Host]
	if rp == nil {
		return
	}
	if !rp.hasStarted {
		rp.hasStarted, rp.started = ev.Type == fleet.StepStarted, ev.Time
	}
	if ev.Key == fleet.FactAway {
		rp.waitsOnline = ev.Value == fleet.Yes
	}
	rp.recorded[eventKey(ev)] = true
	if ev.Type == fleet.HostFinished && ev.Result != nil && ev.Result.Outcome.Terminal() {
		delete(p.hosts, ev.Host)
	}
}

// readLog shows what is new in a host's log.
func (p *replayer) readLog(name string) error {
	rp := p.hosts[name]
	if rp == nil || !rp.hasStarted {
		return nil
	}
	return p.readLogOf(rp)
}

// readLogOf shows what is new in a log. That of a build comes where the host waits for it.
func (p *replayer) readLogOf(rp *hostReplay) error {
	if rp.build != nil && rp.reader != nil {
		if err := p.readLogOf(rp.build); err != nil {
			return err
		}
	}
	f, err := os.Open(p.record.LogPath(rp.log))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if rp.reader == nil {
		if rp.nonce = p.record.Nonce(rp.log); rp.nonce == "" {
			return nil
		}
		rp.reader = newLogReader(rp.host, rp.nonce)
		rp.reader.send = p.out.record
		rp.reader.learn = func(it remote.Item) {
			if len(rp.items) <= maxMarkers { // with more, the log is excessive
				rp.items = append(rp.items, it)
			}
			if rp.build != nil && record.AwaitsBuild(it) {
				_ = p.readLogOf(rp.build) // the next poll tries again
			}
		}
		rp.reader.flushAfter = func(time.Duration) {} // flushed below
	}
	if _, err := f.Seek(rp.offset, io.SeekStart); err != nil {
		return err
	}
	n, err := io.Copy(rp.reader.parser, f)
	rp.offset += n
	rp.reader.flush()
	return err
}

// readLogEnd shows the end of a log that is too long, once its host has finished.
func (p *replayer) readLogEnd(name string) {
	rp := p.hosts[name]
	if rp != nil && rp.build != nil {
		p.readLogEndOf(rp.build)
	}
	if rp != nil {
		p.readLogEndOf(rp)
	}
}

func (p *replayer) readLogEndOf(rp *hostReplay) {
	if rp.reader != nil {
		end, _ := p.record.LogEnd(rp.log)
		rp.reader.parser.Write(end)
		rp.reader.flush()
	}
}

// unfinished returns the hosts without a final outcome, in the run's order.
func (p *replayer) unfinished() []*hostReplay {
	var hosts []*hostReplay
	for _, h := range p.out.state.Hosts {
		if rp := p.hosts[h.Name]; rp != nil {
			hosts = append(hosts, rp)
		}
	}
	return hosts
}
