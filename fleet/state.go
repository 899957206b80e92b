package fleet

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Phase is what a host is doing between the start of its run and its outcome.
type Phase string

const (
	Waiting      Phase = "waiting"
	Connecting   Phase = "connecting"
	Working      Phase = "working"
	Reconnecting Phase = "reconnecting" // out of reach; its job continues
	Done         Phase = "done"
)

// tailLines is how many lines of a host's log its state keeps, for a summary to quote.
const tailLines = 20

// State is a run as described by its events. Only [State.Apply] changes it.
type State struct {
	Run     string
	Start   *Start
	Began   time.Time
	Last    time.Time // time of the last applied event
	Seq     uint64    // number of the last applied event
	Hosts   []*HostState
	Summary *Summary // nil until the run has finished

	Rollback string // ID of the run that rolls a failed wave back, or ""

	byName map[string]*HostState
}

// HostState is one host's part of a run as described by its events. Only [HostState.Apply] changes
// it.
type HostState struct {
	Name     string
	Kind     string
	Wave     int
	Builder  string // the host that builds for it, or ""
	Phase    Phase
	Step     Step      // current step, or the last one
	Since    time.Time // when Phase or Step last changed
	Changed  bool      // a new configuration was activated
	Began    time.Time // when the host started; zero while it waits
	Progress Progress
	Built    int // how much of the build or copy is done, in thousandths; it never decreases
	LastLine string
	Facts    map[string]string
	Tail     []string // last lines of the log, newest last, without those of a way back
	Result   *Result  // nil until there is an outcome

	failed  bool // a step has failed
	undoing bool // the host goes back to what ran before, or runs its after_switch nevertheless
}

// NewHostState returns the state of a host that waits for its turn.
func NewHostState(planned PlannedHost, now time.Time) *HostState {
	return &HostState{
		Name: planned.Name, Kind: planned.Kind, Wave: planned.Wave, Builder: planned.Builder,
		Phase: Waiting, Since: now, Facts: map[string]string{},
	}
}

// Host returns the state of the named host, or nil.
func (s *State) Host(name string) *HostState { return s.byName[name] }

// Settled reports whether every host has a final outcome.
func (s *State) Settled() bool {
	for _, h := range s.Hosts {
		if !h.Settled() {
			return false
		}
	}
	return s.Start != nil
}

// Complete reports whether every host has an outcome, final or not.
func (s *State) Complete() bool {
	for _, h := range s.Hosts {
		if h.Result == nil {
			return false
		}
	}
	return s.Start != nil
}

// Apply adds an event. The result depends only on the state and the event.
func (s *State) Apply(ev Event) {
	s.Last, s.Seq = ev.Time, ev.Seq
	switch {
	case ev.Type == RunStarted && ev.Start != nil:
		s.start(ev)
	case ev.Type == RunFinished:
		s.Summary = ev.Summary
	case ev.Type == FactLearned && ev.Host == "" && ev.Key == FactRollback:
		s.Rollback = ev.Value
	}
	if h := s.byName[ev.Host]; h != nil {
		h.Apply(ev)
		if h.Result == nil {
			s.Summary = nil // an unknown host is being settled
		}
	}
}

func (s *State) start(ev Event) {
	s.Run, s.Start, s.Began, s.Summary = ev.Run, ev.Start, ev.Time, nil
	s.Hosts = make([]*HostState, 0, len(ev.Start.Hosts))
	s.byName = make(map[string]*HostState, len(ev.Start.Hosts))
	for _, planned := range ev.Start.Hosts {
		h := NewHostState(planned, ev.Time)
		s.Hosts = append(s.Hosts, h)
		s.byName[h.Name] = h
	}
}

// Settled reports whether the host has a final outcome.
func (h *HostState) Settled() bool { return h.Result != nil && h.Result.Outcome.Terminal() }

// InActivation reports whether the host has reached its activation.
func (h *HostState) InActivation() bool {
	return slices.Contains([]Step{Before, Activate, After, Verify, Confirm}, h.Step)
}

// Awaiting reports whether the host has built its configuration and waits for permission to
// activate.
func (h *HostState) Awaiting() bool { return h.Facts[FactAwaiting] == AwaitingGo }

// PreviousGeneration returns the generation that undoes the host's activation, or 0 if it is not
// known.
func (h *HostState) PreviousGeneration() int {
	n, _ := strconv.ParseUint(h.Facts[factPrevious], 10, 31)
	return int(n)
}

// PreviousSpecialisation returns the specialisation of a NixOS system that ran before the host's
// activation, "none", or "" if it is not known.
func (h *HostState) PreviousSpecialisation() string { return h.Facts[factSpecial] }

// Clone returns a copy that shares nothing with h that Apply changes.
func (h *HostState) Clone() *HostState {
	c := *h
	c.Facts, c.Tail = maps.Clone(h.Facts), slices.Clone(h.Tail)
	return &c
}

// Apply adds an event of this host.
func (h *HostState) Apply(ev Event) {
	if h.Began.IsZero() {
		h.Began = ev.Time
	}
	switch ev.Type {
	case StepStarted:
		h.Step = ev.Step
		h.failed = h.failed && ev.Step != Preflight
		h.undoing = (h.undoing || h.failed && ev.Step == After) && ev.Step != Preflight
		delete(h.Facts, FactAwaiting)
		if ev.Step == Copy {
			h.Progress = Progress{} // that of the build
		}
		if ev.Step == Build || ev.Step == Copy {
			h.Built = 0
		}
		if ev.Step == Connect {
			h.enter(Connecting, ev.Time)
		} else {
			h.enter(Working, ev.Time)
		}
	case StepFinished:
		if ev.Step == Connect {
			h.enter(Working, ev.Time)
		}
		h.failed = h.failed || ev.OK != nil && !*ev.OK
		h.Changed = h.Changed || ev.Step == Activate && ev.OK != nil && *ev.OK && h.Facts[factActivated] != No
	case ProgressMade:
		if ev.Progress != nil {
			h.Progress = *ev.Progress
			h.Built = max(h.Built, ev.Progress.thousandths())
		}
	case LogLine:
		h.undoing = h.undoing || ev.Stream == StreamNote && strings.HasPrefix(ev.Line, rollbackNote)
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

// maxBuilt is what a build that is not over has done at most, in thousandths: Nix may announce more
// paths at any time.
const maxBuilt = 900

// thousandths returns how many of the expected paths are built or copied.
func (p *Progress) thousandths() int {
	expected := p.BuildsExpected + p.CopiesExpected
	if expected == 0 {
		return 0
	}
	return min(1000*(p.Builds+p.Copies)/expected, maxBuilt)
}

// enter changes the phase. Since stays when only the connection comes or goes, because the step has
// been running all the time.
func (h *HostState) enter(p Phase, now time.Time) {
	if !(h.Phase == Reconnecting && p == Working || h.Phase == Working && p == Reconnecting) {
		h.Since = now
	}
	h.Phase = p
}

// rollbackNote is the start of the note with which a host announces that it goes back. What follows
// is the output of the configuration from before, which does not explain why the new one failed.
const rollbackNote = "rolling back to "

func (h *HostState) log(line string) {
	h.LastLine = line
	if h.undoing {
		return
	}
	if len(h.Tail) == tailLines {
		copy(h.Tail, h.Tail[1:])
		h.Tail = h.Tail[:tailLines-1]
	}
	h.Tail = append(h.Tail, line)
}
