package fleet

import (
	"slices"
	"time"
)

// Phase is what is going on with a host, between its run's beginning and its outcome.
type Phase string

const (
	Waiting      Phase = "waiting"
	Connecting   Phase = "connecting"
	Working      Phase = "working"
	Reconnecting Phase = "reconnecting" // out of reach; its job goes on
	Done         Phase = "done"
)

// tailLines is how much of a host's log its state remembers: what a summary quotes.
const tailLines = 20

// State is what is known of a run: all its events so far, added up.
type State struct {
	Run     string
	Start   *Start
	Began   time.Time
	Last    time.Time // of the event applied last
	Seq     uint64    // of the event applied last
	Hosts   []*HostState
	Summary *Summary // nil until the run has finished

	Rollback string // the run that takes a failed wave back; "" where there is none

	byName map[string]*HostState
}

// HostState is what is known of one host of a run.
type HostState struct {
	Name     string
	Kind     string
	Wave     int
	Phase    Phase
	Step     Step      // the step under way, or the last one
	Since    time.Time // Phase and Step are as they are since then
	Changed  bool      // a new configuration was activated
	Began    time.Time // the host's own beginning; zero while it waits
	Progress Progress
	LastLine string
	Facts    map[string]string
	Tail     []string // the last lines, the newest at the end
	Result   *Result  // nil until it has one
}

// Host returns the state of the host of that name, or nil.
func (s *State) Host(name string) *HostState { return s.byName[name] }

// Settled reports whether every host has an outcome that stays.
func (s *State) Settled() bool {
	for _, h := range s.Hosts {
		if h.Result == nil || !h.Result.Outcome.Terminal() {
			return false
		}
	}
	return s.Start != nil
}

// complete reports whether every host has an outcome.
func (s *State) Complete() bool {
	for _, h := range s.Hosts {
		if h.Result == nil {
			return false
		}
	}
	return s.Start != nil
}

// Apply adds an event. It is the only way in which a State changes, and it depends on nothing but the state and the event.
func (s *State) Apply(ev Event) {
	s.Last, s.Seq = ev.Time, ev.Seq
	switch {
	case ev.Type == RunStarted && ev.Start != nil:
		s.begin(ev)
	case ev.Type == RunFinished:
		s.Summary = ev.Summary
	case ev.Type == FactLearned && ev.Host == "" && ev.Key == FactRevision && s.Start != nil:
		start := *s.Start
		start.Revision = ev.Value
		s.Start = &start
	case ev.Type == FactLearned && ev.Host == "" && ev.Key == FactRollback:
		s.Rollback = ev.Value
	}
	if h := s.byName[ev.Host]; h != nil {
		h.apply(ev)
		if h.Result == nil {
			s.Summary = nil // a host that was unknown is being settled
		}
	}
}

func (s *State) begin(ev Event) {
	s.Run, s.Start, s.Began, s.Summary = ev.Run, ev.Start, ev.Time, nil
	s.Hosts = make([]*HostState, 0, len(ev.Start.Hosts))
	s.byName = make(map[string]*HostState, len(ev.Start.Hosts))
	for _, planned := range ev.Start.Hosts {
		h := &HostState{Name: planned.Name, Kind: planned.Kind, Wave: planned.Wave, Phase: Waiting, Since: ev.Time, Facts: map[string]string{}}
		s.Hosts = append(s.Hosts, h)
		s.byName[h.Name] = h
	}
}

// inActivation reports whether the host has come as far as its activation.
func (h *HostState) InActivation() bool {
	return slices.Contains([]Step{Activate, Verify, Confirm}, h.Step)
}

func (h *HostState) apply(ev Event) {
	if h.Began.IsZero() {
		h.Began = ev.Time
	}
	switch ev.Type {
	case StepStarted:
		h.Step = ev.Step
		delete(h.Facts, FactAwaiting)
		if ev.Step == Connect {
			h.enter(Connecting, ev.Time)
		} else {
			h.enter(Working, ev.Time)
		}
	case StepFinished:
		if ev.Step == Connect {
			h.enter(Working, ev.Time)
		}
		h.Changed = h.Changed || ev.Step == Activate && ev.OK != nil && *ev.OK && h.Facts[FactActivated] != No
	case ProgressMade:
		if ev.Progress != nil {
			h.Progress = *ev.Progress
		}
	case LogLine:
		h.log(ev.Line)
	case FactLearned:
		h.Facts[ev.Key] = ev.Value
		if ev.Key == FactReconnect && ev.Value == Lost {
			h.enter(Reconnecting, ev.Time)
			h.Result = nil
		} else if ev.Key == FactReconnect {
			h.enter(Working, ev.Time)
		}
	case HostFinished:
		h.Result = ev.Result
		h.enter(Done, ev.Time)
	}
}

// enter leaves an earlier Since alone where only the connection comes and goes: the step has been under way all the time.
func (h *HostState) enter(p Phase, now time.Time) {
	if !(h.Phase == Reconnecting && p == Working || h.Phase == Working && p == Reconnecting) {
		h.Since = now
	}
	h.Phase = p
}

func (h *HostState) log(line string) {
	h.LastLine = line
	if len(h.Tail) == tailLines {
		copy(h.Tail, h.Tail[1:])
		h.Tail = h.Tail[:tailLines-1]
	}
	h.Tail = append(h.Tail, line)
}
