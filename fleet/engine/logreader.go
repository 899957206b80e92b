package engine

import (
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/record"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

// progressInterval is the shortest time between two progress events of a host.
const progressInterval = 100 * time.Millisecond

// logReader parses a host's log. Lines and progress become events; markers go to learn. The owner
// sets the functions, and may change them when another goroutine takes the log over.
type logReader struct {
	host       string
	parser     *remote.Parser
	send       func(fleet.Event)
	learn      func(remote.Item)
	flushAfter func(time.Duration) // asks for flush to be called later

	pending *fleet.Progress // held back
	sent    time.Time       // when progress was last sent
}

func newLogReader(host, nonce string) *logReader {
	r := &logReader{host: host}
	r.parser = remote.NewParser(nonce, r.item)
	return r
}

func (r *logReader) item(it remote.Item) {
	if stream := record.ItemStream(it.Kind); stream != "" {
		r.send(fleet.Event{Type: fleet.LogLine, Host: r.host, Stream: stream, Line: it.Text})
		return
	}
	if it.Kind != remote.Progress {
		r.flush()
		r.learn(it)
		return
	}
	p := fleet.Progress(it.Progress)
	first := r.pending == nil
	r.pending = &p
	switch wait := progressInterval - time.Since(r.sent); {
	case wait <= 0:
		r.flush()
	case first:
		r.flushAfter(wait)
	}
}

// flush sends progress that was held back.
func (r *logReader) flush() {
	if r.pending == nil {
		return
	}
	r.send(fleet.Event{Type: fleet.ProgressMade, Host: r.host, Progress: r.pending})
	r.pending, r.sent = nil, time.Now()
}
