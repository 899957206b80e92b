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

// watchEvery is how often a watcher looks whether the record has grown.
const watchEvery = 200 * time.Millisecond

// watcher shows a run by its record, as the owner writes it. It belongs to the ledger's goroutine.
type watcher struct {
	record *record.Record
	ledger *ledger
	events record.LineReader
	hosts  map[string]*replay // without those whose outcome stays
}

// replay is what a record has of a host that is not finished.
type replay struct {
	host     string
	begun    bool
	began    time.Time
	away     bool            // it was waited for
	recorded map[string]bool // its events, by keyOf
	nonce    string
	reader   *reader       // nil before there was a log
	offset   int64         // how much of the log was read
	items    []remote.Item // what it says of the host's state
}

func newWatcher(rec *record.Record, l *ledger) *watcher {
	return &watcher{record: rec, ledger: l, events: record.LineReader{Path: rec.EventsPath()}, hosts: map[string]*replay{}}
}

// watch returns when the run has finished, when ctx ends, or, with the run, when it has no owner any more.
func (w *watcher) watch(ctx context.Context) (*record.Journal, error) {
	for looked := false; ; looked = true {
		// The lock first: what its last owner wrote is then all there.
		owned, err := w.record.Acquire()
		if err != nil && !errors.Is(err, record.ErrOwned) {
			return nil, err
		}
		err = w.look(looked)
		s := w.ledger.state
		finished := s.Summary != nil && (looked || owned == nil || s.Settled())
		switch {
		case err == nil && owned != nil && s.Start == nil:
			err = fmt.Errorf("run %s has nothing on record: it was cut off before it began", w.record.Run)
		case err == nil && owned != nil && !finished:
			return owned, nil
		}
		if owned != nil {
			owned.Close()
		}
		if err != nil || finished || !host.Sleep(ctx, watchEvery) {
			return nil, err
		}
	}
}

// look shows what is new. Of a host that finishes, its log is shown to the end before its outcome is; of one that had finished before the
// first look, it is not.
func (w *watcher) look(again bool) error {
	err := w.events.Read(func(line []byte) error {
		return record.Decode(line, func(ev fleet.Event) {
			if again && ev.Type == fleet.HostFinished {
				w.readLog(ev.Host)
			}
			w.ledger.replay(ev)
			w.note(ev)
		})
	})
	for host := range w.hosts {
		err = errors.Join(err, w.readLog(host))
	}
	return err
}

// note keeps what is needed to take a host over.
func (w *watcher) note(ev fleet.Event) {
	if ev.Type == fleet.RunStarted {
		for _, h := range w.ledger.state.Hosts {
			w.hosts[h.Name] = &replay{host: h.Name, recorded: map[string]bool{}}
		}
	}
	rp := w.hosts[ev.Host]
	if rp == nil {
		return
	}
	if !rp.begun {
		rp.begun, rp.began = ev.Type == fleet.StepStarted, ev.Time
	}
	if ev.Key == fleet.FactAway {
		rp.away = ev.Value == fleet.Yes
	}
	rp.recorded[keyOf(ev)] = true
	if ev.Type == fleet.HostFinished && ev.Result != nil && ev.Result.Outcome.Terminal() {
		delete(w.hosts, ev.Host)
	}
}

// readLog shows what is new in a host's log.
func (w *watcher) readLog(host string) error {
	rp := w.hosts[host]
	if rp == nil || !rp.begun {
		return nil
	}
	f, err := os.Open(w.record.LogPath(host))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if rp.reader == nil {
		if rp.nonce = w.record.Nonce(host); rp.nonce == "" {
			return nil
		}
		rp.reader = newReader(host, rp.nonce)
		rp.reader.attach(w.ledger.take, func(it remote.Item) { rp.items = append(rp.items, it) }, func(time.Duration) {})
	}
	if _, err := f.Seek(rp.offset, io.SeekStart); err != nil {
		return err
	}
	n, err := io.Copy(rp.reader.parser, f)
	rp.offset += n
	rp.reader.flush()
	return err
}

// unfinished returns the hosts that are left to settle, in the run's order.
func (w *watcher) unfinished() []*replay {
	var left []*replay
	for _, h := range w.ledger.state.Hosts {
		if rp := w.hosts[h.Name]; rp != nil {
			left = append(left, rp)
		}
	}
	return left
}

// keyOf is equal for events that say the same of a host.
func keyOf(ev fleet.Event) string {
	return fmt.Sprintf("%s %s %s %s", ev.Type, ev.Step, ev.Key, ev.Value)
}
