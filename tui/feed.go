package tui

import (
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
)

const (
	// batchEvery is how long events gather before the screen hears of them: one message an event would fall behind.
	batchEvery = 50 * time.Millisecond
	// mostWaiting bounds the log lines that gather while the screen is away: they are whole on disk.
	mostWaiting = 4096
)

// batch is what happened since the screen was last told.
type batch struct {
	events   []fleet.Event
	skipped  int // lines that found no place
	notes    []string
	statuses []Status
	doings   []doing
	plans    []plan
	target   *Target
	lastRuns map[string]health.LastRun
}

// doing is what is done with a host beside a run.
type doing struct{ host, word string }

// plan is what a deploy would do on a host.
type plan struct {
	host  string
	lines []Text
}

// feed gathers what happens and hands it to a program, a batch at a time. Nobody who adds to it ever waits for the screen.
type feed struct {
	program *tea.Program

	mu      sync.Mutex
	pending batch
	wake    chan struct{} // holds a token while pending is not empty
	closed  chan struct{}
	pump    sync.WaitGroup
}

func newFeed(p *tea.Program) *feed {
	f := &feed{program: p, wake: make(chan struct{}, 1), closed: make(chan struct{})}
	f.pump.Go(f.deliver)
	return f
}

func (f *feed) event(ev fleet.Event) {
	f.add(func(b *batch) {
		if ev.Type == fleet.LogLine && ev.Stream == "out" && len(b.events) >= mostWaiting {
			b.skipped++
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

// deliver hands over what gathered. Send waits while the terminal is given back, so this is nobody else's goroutine.
func (f *feed) deliver() {
	pause := time.NewTicker(batchEvery)
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

// close ends the feed, and returns what was not handed over.
func (f *feed) close() batch {
	close(f.closed)
	f.pump.Wait()
	return f.take()
}
