package engine

import (
	"fmt"
	"slices"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/record"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

// jobLog is a host's log: its bytes go to the record, its markers to the worker.
type jobLog struct {
	file     *record.HostLog
	nonce    string          // "" until the job was seen
	skip     int64           // bytes that the session is about to repeat
	reader   *logReader      // nil until the job was seen
	recorded map[string]bool // events that an earlier owner of the run has recorded, by eventKey
	end      *remote.Item    // the job's end marker
	limit    int64           // bytes that are kept; 0 means all
	markers  map[string]bool // steps and facts that were seen
	// all markers, and their bytes
	markerCount, markerBytes int
	// how the job's own verification went; the step also includes our checks
	verified *bool
}

// received returns how many bytes of the log have been received.
func (l *jobLog) received() int64 {
	if l.file == nil {
		return 0
	}
	return l.file.Size
}

func (l *jobLog) close() error {
	if l.reader != nil {
		l.reader.flush()
		l.reader.unmute()
	}
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}

// open prepares for the first byte of the log, which has that name in the record, and of which at
// most limit bytes are kept. reader is not used if the log is open already. The
// error is about the file alone.
func (l *jobLog) open(journal *record.Journal, name, nonce string, limit int64, reader *logReader) (err error) {
	if l.nonce == "" {
		l.nonce, l.reader, l.limit = nonce, reader, limit
		l.file, err = journal.CreateLog(name, nonce, limit)
	}
	return err
}

// append adds what the session has printed, without the bytes that are already there, and reports
// whether anything was new. The bytes are written to disk before they are parsed. The error is
// about the file alone.
func (l *jobLog) append(b []byte) (grew bool, err error) {
	repeated := min(l.skip, int64(len(b)))
	l.skip -= repeated
	b = b[repeated:]
	if len(b) == 0 {
		return false, nil
	}
	room := min(l.file.Room(), int64(len(b)))
	err = l.file.Append(b)
	l.reader.parser.Write(b[:room])
	if l.file.Full() && l.end == nil {
		l.reader.mute(l.file.Omitted)
	}
	l.reader.parser.Write(b[room:])
	return true, err
}

// useReader makes the worker receive what a reader reads.
func (w *worker) useReader(r *logReader) *logReader {
	r.send, r.learn = w.send, w.learn
	r.flushAfter = func(d time.Duration) { w.clock.flush.Reset(d) }
	return r
}

// resumeLog continues the log that the replay has read so far.
func (w *worker) resumeLog(rp *hostReplay) {
	w.log.recorded = rp.recorded
	if rp.reader == nil {
		return
	}
	w.log.limit = w.host.MaxLog
	file, err := w.journal.ResumeLog(w.logName(), rp.offset, w.log.limit)
	w.logError(err)
	w.log.file, w.log.nonce, w.log.reader = file, rp.nonce, w.useReader(rp.reader)
	for _, it := range rp.items {
		w.learn(it)
	}
}

// receive takes bytes that the session has printed.
func (w *worker) receive(b []byte) {
	grew, err := w.log.append(b)
	w.logError(err)
	if grew {
		w.link.emptySessions, w.link.attempts = 0, 0
		w.clock.watchQuiet(w.host.Timeouts.Quiet)
	}
}

// Bounds of the markers in a host's log, of which a job prints about 30. Output, notes and warnings
// do not count.
const (
	maxFacts       = 64 // with different keys
	maxMarkers     = 1000
	maxMarkerBytes = 1 << 20
)

// maxLogs is how many times as long as what is kept of it a log may be. A host that prints more is
// not read any further, since that would keep the operator's machine busy.
const maxLogs = 32

// tooManyMarkers reports whether the log exceeds the bounds of markers.
func (l *jobLog) tooManyMarkers() bool {
	return l.markerCount > maxMarkers || l.markerBytes > maxMarkerBytes
}

// excess returns which bound the log exceeds, or "".
func (l *jobLog) excess() string {
	switch {
	case l.tooManyMarkers():
		return fmt.Sprintf("the job's log has more than %d steps and facts", maxMarkers)
	case l.limit > 0 && l.received()/maxLogs >= l.limit:
		return fmt.Sprintf("the job's log is longer than %d times max_log", maxLogs)
	}
	return ""
}

// isNew counts a marker, and reports whether it is the first of its kind and within the bounds. A
// marker that is repeated must neither restart a deadline nor fill the record.
func (l *jobLog) isNew(it remote.Item) bool {
	key := fmt.Sprintf("%d %s %s %s %s", it.Kind, it.Step, it.Word, it.Key, it.Text)
	l.markerCount++
	l.markerBytes += len(key)
	if l.tooManyMarkers() || l.markers[key] {
		return false
	}
	if l.markers == nil {
		l.markers = map[string]bool{}
	}
	l.markers[key] = true
	return true
}

// learn takes what the log says about the job's state.
func (w *worker) learn(it remote.Item) {
	if !w.log.isNew(it) {
		return
	}
	switch it.Kind {
	case remote.StepItem:
		w.learnStep(fleet.Step(it.Step), it.Word)
	case remote.FactItem:
		if _, known := w.state.Facts[it.Key]; !known && len(w.state.Facts) >= maxFacts {
			return
		}
		w.emitOnce(fleet.Event{Type: fleet.FactLearned, Key: it.Key, Value: it.Text})
		if it.Key == fleet.FactAwaiting {
			w.awaitsPath = w.awaitsPath || it.Text == fleet.AwaitingPath && w.state.Builder != ""
			w.expect("")
		}
	case remote.EndItem:
		if w.log.end == nil { // the first counts
			w.log.end = &it
		}
	}
}

var jobSteps = []fleet.Step{fleet.Preflight, fleet.Pull, fleet.Build, fleet.Copy, fleet.Before, fleet.Activate, fleet.After, fleet.Verify, fleet.Confirm}

// learnStep ignores steps and words that this version does not know.
func (w *worker) learnStep(s fleet.Step, word string) {
	if !slices.Contains(jobSteps, s) || !slices.Contains([]string{"start", "ok", "failed"}, word) {
		return
	}
	if word == "start" {
		if s == fleet.Copy { // it started when the first path was sent
			w.expect(s)
			return
		}
		w.emitOnce(fleet.Event{Type: fleet.StepStarted, Step: s})
		w.expect(s)
		return
	}
	ok := word == "ok"
	w.expect("")
	if s == fleet.Verify {
		w.log.verified = &ok
		return
	}
	w.emitOnce(fleet.Event{Type: fleet.StepFinished, Step: s, OK: &ok})
}

// eventKey returns a key that is equal for events that say the same about a host.
func eventKey(ev fleet.Event) string {
	return fmt.Sprintf("%s %s %s %s", ev.Type, ev.Step, ev.Key, ev.Value)
}
