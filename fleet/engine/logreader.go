package engine

import (
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/record"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

// progressEvery is how often, at most, a host's progress is told.
const progressEvery = 100 * time.Millisecond

// reader takes a host's log apart: lines and progress become events, what changes the host's state is learnt.
type reader struct {
	host   string
	parser *remote.Parser
	send   func(fleet.Event)
	learn  func(remote.Item)
	hold   func(time.Duration) // progress is held back, and flush due after that

	last *fleet.Progress // held back
	told time.Time
}

func newReader(host, nonce string) *reader {
	r := &reader{host: host}
	r.parser = remote.NewParser(nonce, r.item)
	return r
}

// attach says to whom the reader reads from now on.
func (r *reader) attach(send func(fleet.Event), learn func(remote.Item), hold func(time.Duration)) {
	r.send, r.learn, r.hold = send, learn, hold
}

func (r *reader) item(it remote.Item) {
	if stream := record.StreamOf(it.Kind); stream != "" {
		r.send(fleet.Event{Type: fleet.LogLine, Host: r.host, Stream: stream, Line: it.Text})
		return
	}
	if it.Kind != remote.Progress {
		r.flush()
		r.learn(it)
		return
	}
	p := fleet.Progress(it.Progress)
	first := r.last == nil
	r.last = &p
	switch wait := progressEvery - time.Since(r.told); {
	case wait <= 0:
		r.flush()
	case first:
		r.hold(wait)
	}
}

// flush tells progress that was held back.
func (r *reader) flush() {
	if r.last == nil {
		return
	}
	r.send(fleet.Event{Type: fleet.ProgressMade, Host: r.host, Progress: r.last})
	r.last, r.told = nil, time.Now()
}
