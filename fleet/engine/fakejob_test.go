package engine

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
)

// fakeJob is a job on a fake host.
type fakeJob struct {
	mu     sync.Mutex
	nonce  string
	bytes  []byte
	over   bool
	change chan struct{} // closed at the next change

	received  map[string]bool // signals
	activated time.Time
}

func (h *fakeHost) job(id string) *fakeJob {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.jobs[id]
}

// launch starts the job unless it has started before.
func (h *fakeHost) launch(args arguments) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.launched = append(h.launched, args)
	if h.jobs[args["id"]] != nil {
		return
	}
	if h.jobs == nil {
		h.jobs = map[string]*fakeJob{}
	}
	job := &fakeJob{nonce: "nonce-of-" + h.name, change: make(chan struct{}), received: map[string]bool{}}
	h.jobs[args["id"]] = job
	h.started++
	log := h.log
	if args["goal"] == fleet.GoalRollback {
		log = h.rollbackLog
	}
	h.running.Go(func() {
		for _, p := range log {
			job.play(p)
		}
	})
}

// Parts of a log at which a job waits for a signal.
const (
	awaitGo    = "await go"
	confirming = "confirming" // at most for the pause; then the job decides as real ones do
)

func (j *fakeJob) play(p logPart) {
	switch p.text {
	case awaitGo:
		j.add(j.nonce + " fact awaiting go\n")
		j.await(goTimeout, "go")
	case confirming:
		j.add(j.nonce + " step confirm start\n")
		switch j.await(p.pause, "confirm", "back") {
		case "confirm":
			j.add(j.nonce + " fact confirmed operator\n" + j.nonce + " step confirm ok\n")
		case "back":
			j.add(j.nonce + " step confirm failed\n" + j.nonce + " end rolled-back back confirm as requested\n")
		default:
			if j.await(0, "present") == "present" {
				j.add(j.nonce + " step confirm failed\n" + j.nonce + " end rolled-back unconfirmed confirm no new login\n")
			}
			j.add(j.nonce + " fact confirmed host\n" + j.nonce + " step confirm ok\n")
		}
	default:
		time.Sleep(p.pause)
		j.add(strings.ReplaceAll(p.text, "NONCE", j.nonce))
	}
}

// await waits for one of the signals and returns it. It returns "" if the job ends first, or if the
// time is up.
func (j *fakeJob) await(limit time.Duration, signals ...string) string {
	timeout := time.After(limit)
	for {
		j.mu.Lock()
		change, over := j.change, j.over
		for _, signal := range signals {
			if j.received[signal] {
				j.mu.Unlock()
				return signal
			}
		}
		j.mu.Unlock()
		if over {
			return ""
		}
		select {
		case <-change:
		case <-timeout:
			return ""
		}
	}
}

// signal passes a signal to a job, over a connection that exists since the given time. It returns
// the header of the answer.
func (h *fakeHost) signal(id, word string, since time.Time) string {
	job := h.job(id)
	if job == nil {
		return "absent"
	}
	h.mu.Lock()
	h.signals = append(h.signals, word)
	h.mu.Unlock()
	job.mu.Lock()
	defer job.mu.Unlock()
	switch {
	case job.over:
		return "refused finished"
	case word == "confirm" && since.Before(job.activated):
		return "refused old-login"
	}
	job.received[word] = true
	close(job.change)
	job.change = make(chan struct{})
	return "told"
}

// add appends to the log.
func (j *fakeJob) add(text string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.over {
		return
	}
	j.bytes = append(j.bytes, text...)
	j.over = strings.Contains(text, j.nonce+" end ")
	if strings.Contains(text, j.nonce+" step activate ok") {
		j.activated = time.Now()
	}
	close(j.change)
	j.change = make(chan struct{})
}

func (j *fakeJob) end(outcome, text string) {
	j.add(fmt.Sprintf("%s end %s cancelled build %s\n", j.nonce, outcome, text))
}

// all returns the whole log.
func (j *fakeJob) all() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return string(j.bytes)
}
