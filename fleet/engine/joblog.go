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
	verified *bool           // how the job's own verification went; the step also includes our checks
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
	}
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}

// openLog prepares for the first byte of the log.
func (w *worker) openLog(nonce string) {
	if w.log.nonce != "" {
		return
	}
	file, err := w.journal.CreateLog(w.host.Name, nonce)
	w.logError(err)
	w.log.file, w.log.nonce, w.log.reader = file, nonce, newLogReader(w.host.Name, nonce)
	w.attachReader()
}

// resumeLog continues the log that the replay has read so far.
func (w *worker) resumeLog(rp *hostReplay) {
	w.log.recorded = rp.recorded
	if rp.reader == nil {
		return
	}
	file, err := w.journal.ResumeLog(w.host.Name, rp.offset)
	w.logError(err)
	w.log.file, w.log.nonce, w.log.reader = file, rp.nonce, rp.reader
	w.attachReader()
	for _, it := range rp.items {
		w.learn(it)
	}
}

func (w *worker) attachReader() {
	w.log.reader.send, w.log.reader.learn = w.send, w.learn
	w.log.reader.flushAfter = func(d time.Duration) { w.clock.flush.Reset(d) }
}

// receive takes bytes of the log: they are written to disk first, then parsed.
func (w *worker) receive(b []byte) {
	repeated := min(w.log.skip, int64(len(b)))
	w.log.skip -= repeated
	b = b[repeated:]
	if len(b) == 0 {
		return
	}
	w.link.emptySessions = 0
	w.logError(w.log.file.Append(b))
	w.log.reader.parser.Write(b)
	w.watchQuiet()
}

// maxFacts bounds the facts of a host. It is more than any job reports.
const maxFacts = 64

// learn takes what the log says about the job's state.
func (w *worker) learn(it remote.Item) {
	switch it.Kind {
	case remote.StepItem:
		w.learnStep(fleet.Step(it.Step), it.Word)
	case remote.FactItem:
		if _, known := w.state.Facts[it.Key]; !known && len(w.state.Facts) >= maxFacts {
			return
		}
		w.emitOnce(fleet.Event{Type: fleet.FactLearned, Key: it.Key, Value: it.Text})
		if it.Key == fleet.FactAwaiting {
			w.expect("")
		}
	case remote.EndItem:
		w.log.end = &it
	}
}

var jobSteps = []fleet.Step{fleet.Preflight, fleet.Pull, fleet.Build, fleet.Activate, fleet.Verify, fleet.Confirm}

// learnStep ignores steps that this version does not know.
func (w *worker) learnStep(s fleet.Step, word string) {
	if !slices.Contains(jobSteps, s) {
		return
	}
	if word == "start" {
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

// eventKey is the same for events that say the same about a host.
func eventKey(ev fleet.Event) string {
	return fmt.Sprintf("%s %s %s %s", ev.Type, ev.Step, ev.Key, ev.Value)
}
