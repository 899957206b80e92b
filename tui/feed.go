package tui

import (
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
)

const (
	// batchInterval is how long events are collected before they are sent to the screen. One
	// message per event would be too slow.
	batchInterval = 50 * time.Millisecond
	// maxPending limits the log lines that are collected while the screen is not drawing. The logs
	// on disk have all.
	maxPending = 4096
)

// batch is everything that has happened since the last batch.
type batch struct {
	events     []fleet.Event
	dropped    int // log lines beyond maxPending
	notes      []string
	statuses   []Status
	activities []activity
	plans      []plan
	outputs    []Output
	target     *Target
	lastRuns   map[string]health.LastRun
	tests      map[string]health.TestRun
}

// activity is what is being done to a host outside of runs: "rebooting", or "" for nothing.
type activity struct{ host, word string }

// plan is what a deploy would do on a host.
type plan struct {
	host  string
	lines []Text
}

// feed collects what happens and sends it to a program in batches. Adding to it never waits for the
// screen.
type feed struct {
	program *tea.Program

	mu      sync.Mutex
	pending batch
	wake    chan struct{} // holds a token while pending is not empty
	closed  chan struct{}
	sender  sync.WaitGroup
}

func newFeed(p *tea.Program) *feed {
	f := &feed{program: p, wake: make(chan struct{}, 1), closed: make(chan struct{})}
	f.sender.Go(f.send)
	return f
}

func (f *feed) event(ev fleet.Event) {
	f.add(func(b *batch) {
		if ev.Type == fleet.LogLine && ev.Stream == "out" && len(b.events) >= maxPending {
			b.dropped++
			return
		}
		b.events = append(b.events, ev)
	})
}

func (f *feed) add(put func(*batch)) {
	f.mu.Lock()
	put(&f.pending)
	f.mu.Unlock()
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// send sends a batch whenever there is one. It has a goroutine of its own: Program.Send blocks
// while the terminal is released.
func (f *feed) send() {
	pause := time.NewTicker(batchInterval)
	defer pause.Stop()
	for {
		select {
		case <-f.closed:
			return
		case <-f.wake:
			f.program.Send(batchMsg(f.take()))
		}
		select {
		case <-f.closed:
			return
		case <-pause.C:
		}
	}
}

func (f *feed) take() batch {
	f.mu.Lock()
	defer f.mu.Unlock()
	taken := f.pending
	f.pending = batch{}
	return taken
}

// close stops the feed and returns what was not sent.
func (f *feed) close() batch {
	close(f.closed)
	f.sender.Wait()
	return f.take()
}
