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

	omitted func() int64  // set once the log is too long: bytes that the record leaves out
	last    []fleet.Event // the last lines since then
}

// mutedLines is how many lines at the end of a log that is too long are shown.
const mutedLines = 20

func newLogReader(host, nonce string) *logReader {
	r := &logReader{host: host}
	r.parser = remote.NewParser(nonce, r.item)
	return r
}

func (r *logReader) item(it remote.Item) {
	if stream := record.ItemStream(it.Kind); stream != "" {
		r.line(fleet.Event{Type: fleet.LogLine, Host: r.host, Stream: stream, Line: it.Text})
		return
	}
	if it.Kind != remote.Progress {
		r.flush()
		if it.Kind == remote.EndItem {
			r.unmute()
		}
		r.learn(it)
		return
	}
	n := it.Progress
	p := fleet.Progress{
		Builds: n.Builds, BuildsExpected: n.BuildsExpected, Copies: n.Copies, CopiesExpected: n.CopiesExpected,
		Bytes: n.Bytes, BytesExpected: n.BytesExpected, Building: n.Building, Phase: n.Phase,
	}
	first := r.pending == nil
	r.pending = &p
	switch wait := progressInterval - time.Since(r.sent); {
	case wait <= 0:
		r.flush()
	case first:
		r.flushAfter(wait)
	}
}

// line sends a line, unless the log is too long.
func (r *logReader) line(ev fleet.Event) {
	if r.omitted == nil {
		r.send(ev)
		return
	}
	if len(r.last) == mutedLines {
		r.last = append(r.last[:0], r.last[1:]...)
	}
	r.last = append(r.last, ev)
}

// mute holds lines back, because the log is too long. omitted returns how many bytes are left out
// so far.
func (r *logReader) mute(omitted func() int64) {
	if r.omitted == nil {
		r.note("the log is longer than max_log in hosts.toml: of the rest, only the end will be shown")
		r.omitted = omitted
	}
}

// unmute shows the last lines.
func (r *logReader) unmute() {
	if r.omitted == nil {
		return
	}
	if n := r.omitted(); n > 0 {
		r.note(remote.Omitted(n))
	}
	for _, ev := range r.last {
		r.send(ev)
	}
	r.omitted, r.last = nil, nil
}

func (r *logReader) note(line string) {
	r.send(fleet.Event{Type: fleet.LogLine, Host: r.host, Stream: fleet.StreamNote, Line: line})
}

// flush sends progress that was held back.
func (r *logReader) flush() {
	if r.pending == nil {
		return
	}
	r.send(fleet.Event{Type: fleet.ProgressMade, Host: r.host, Progress: r.pending})
	r.pending, r.sent = nil, time.Now()
}
