package engine

import (
	"slices"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

// openLog makes ready for the log's first byte.
func (w *worker) openLog(nonce string) {
	if w.nonce != "" {
		return
	}
	log, err := w.journal.CreateLog(w.host.Name, nonce)
	w.complain(err)
	w.log, w.nonce, w.reader = log, nonce, newReader(w.host.Name, nonce)
	w.reader.attach(w.send, w.learn, w.hold)
}

func (w *worker) received() int64 {
	if w.log == nil {
		return 0
	}
	return w.log.Size
}

// receive takes bytes of the log: to disk first, then to whoever looks.
func (w *worker) receive(b []byte) {
	repeated := min(w.skip, int64(len(b)))
	w.skip -= repeated
	b = b[repeated:]
	if len(b) == 0 {
		return
	}
	w.silent = 0
	w.complain(w.log.Append(b))
	w.reader.parser.Write(b)
	w.mindQuiet()
}

// mindQuiet starts waiting for the next sign of life of a build.
func (w *worker) mindQuiet() {
	if w.step == fleet.Build && w.host.Timeouts.Quiet > 0 {
		w.quiet.Reset(w.host.Timeouts.Quiet)
	}
}

// hold has progress that was held back told after d.
func (w *worker) hold(d time.Duration) { w.delay.Reset(d) }

// maxFacts is more than a job has to tell: a host cannot fill the operator's memory.
const maxFacts = 64

// learn takes what the log says of the job's state.
func (w *worker) learn(it remote.Item) {
	switch it.Kind {
	case remote.StepItem:
		w.learnStep(fleet.Step(it.Step), it.Word)
	case remote.FactItem:
		if _, known := w.facts[it.Key]; !known && len(w.facts) == maxFacts {
			return
		}
		w.facts[it.Key] = it.Text
		if it.Key == fleet.FactAwaiting {
			w.awaiting = true
			w.expect("")
		}
		w.tellOnce(fleet.Event{Type: fleet.FactLearned, Key: it.Key, Value: it.Text})
	case remote.EndItem:
		w.end = &it
	}
}

// learnStep leaves steps alone that this fleetctl does not know.
func (w *worker) learnStep(s fleet.Step, word string) {
	if !slices.Contains([]fleet.Step{fleet.Preflight, fleet.Pull, fleet.Build, fleet.Activate, fleet.Verify, fleet.Confirm}, s) {
		return
	}
	if word == "start" {
		w.awaiting = false
		w.expect(s)
		w.tellOnce(fleet.Event{Type: fleet.StepStarted, Step: s})
		return
	}
	ok := word == "ok"
	w.expect("")
	if s == fleet.Verify {
		w.held = &ok
		return
	}
	w.tellOnce(fleet.Event{Type: fleet.StepFinished, Step: s, OK: &ok})
	w.changed = w.changed || s == fleet.Activate && ok && w.facts[fleet.FactActivated] != fleet.No
	w.activated = w.changed && w.start.Goal != fleet.GoalBoot
}
