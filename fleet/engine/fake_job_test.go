package engine

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
)

type fakeJob struct {
	mu     sync.Mutex
	nonce  string
	bytes  []byte
	over   bool
	change chan struct{} // closed at the next change

	words     map[string]bool // that it was told
	activated time.Time
}

func (h *fakeHost) job(id string) *fakeJob {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.jobs[id]
}

// launch starts the job, once.
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
	job := &fakeJob{nonce: "nonce-of-" + h.name, change: make(chan struct{}), words: map[string]bool{}}
	h.jobs[args["id"]] = job
	h.started++
	log := h.log
	if args["goal"] == fleet.GoalRollback {
		log = h.back
	}
	h.playing.Go(func() {
		for _, p := range log {
			job.play(p)
		}
	})
}

// The pieces of a log that wait for the operator.
const (
	awaitGo    = "await go"   // for the word to go on
	confirming = "confirming" // for the confirmation, as long as the pause at most; then the job decides as hosts do
)

func (j *fakeJob) play(p piece) {
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
			j.add(j.nonce + " step confirm failed\n" + j.nonce + " end rolled-back back confirm it was asked to\n")
		default:
			if j.await(0, "present") == "present" {
				j.add(j.nonce + " step confirm failed\n" + j.nonce + " end rolled-back unconfirmed confirm nobody could log in anew\n")
			}
			j.add(j.nonce + " fact confirmed host\n" + j.nonce + " step confirm ok\n")
		}
	default:
		time.Sleep(p.pause)
		j.add(strings.ReplaceAll(p.text, "NONCE", j.nonce))
	}
}

// await waits for one of the words, or for the job's end, and returns which it was.
func (j *fakeJob) await(limit time.Duration, words ...string) string {
	late := time.After(limit)
	for {
		j.mu.Lock()
		change, over := j.change, j.over
		for _, word := range words {
			if j.words[word] {
				j.mu.Unlock()
				return word
			}
		}
		j.mu.Unlock()
		if over {
			return ""
		}
		select {
		case <-change:
		case <-late:
			return ""
		}
	}
}

// hear takes a word, said over a connection that is there since then.
func (h *fakeHost) hear(id, word string, since time.Time) string {
	job := h.job(id)
	if job == nil {
		return "absent"
	}
	h.mu.Lock()
	h.told = append(h.told, word)
	h.mu.Unlock()
	job.mu.Lock()
	defer job.mu.Unlock()
	switch {
	case job.over:
		return "refused finished"
	case word == "confirm" && since.Before(job.activated):
		return "refused old-login"
	}
	job.words[word] = true
	close(job.change)
	job.change = make(chan struct{})
	return "told"
}

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

func (j *fakeJob) end(words, outcome string) {
	j.add(fmt.Sprintf("%s end %s cancelled build %s\n", j.nonce, outcome, words))
}

func (j *fakeJob) all() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return string(j.bytes)
}
