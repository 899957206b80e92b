package fleet

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// at returns ev with a time, in seconds.
func at(second int, ev Event) Event {
	ev.Time = time.Unix(int64(second), 0)
	return ev
}

func startedState() *State {
	s := &State{}
	s.Apply(at(0, Event{Type: RunStarted, Run: "r", Start: &Start{Hosts: []PlannedHost{
		{Name: "web", Kind: "nixos", Wave: 1}, {Name: "db", Kind: "home", Wave: 2},
	}}}))
	return s
}

func TestApplySetsPhase(t *testing.T) {
	s := startedState()
	h := s.Host("web")
	for i, tt := range []struct {
		ev    Event
		phase Phase
		step  Step
		since int64
	}{
		{Event{Type: StepStarted, Step: Connect}, Connecting, Connect, 1},
		{Event{Type: StepFinished, Step: Connect, OK: new(true)}, Working, Connect, 2},
		{Event{Type: StepStarted, Step: Build}, Working, Build, 3},
		{Event{Type: FactLearned, Key: FactReconnect, Value: Lost}, Reconnecting, Build, 3},
		{Event{Type: FactLearned, Key: FactReconnect, Value: Back}, Working, Build, 3},
		{Event{Type: ProgressMade, Progress: &Progress{Builds: 1}}, Working, Build, 3},
		{Event{Type: HostFinished, Result: &Result{Outcome: Unknown}}, Done, Build, 7},
		{Event{Type: FactLearned, Key: FactReconnect, Value: Lost}, Reconnecting, Build, 8},
		{Event{Type: HostFinished, Result: &Result{Outcome: Switched}}, Done, Build, 9},
	} {
		tt.ev.Host = "web"
		s.Apply(at(i+1, tt.ev))
		if h.Phase != tt.phase || h.Step != tt.step || h.Since.Unix() != tt.since {
			t.Errorf("after event %d: %s %s since %d, want %s %s since %d",
				i+1, h.Phase, h.Step, h.Since.Unix(), tt.phase, tt.step, tt.since)
		}
	}
	if h.Began.Unix() != 1 || s.Host("db").Phase != Waiting || !s.Host("db").Began.IsZero() || s.Host("nosuch") != nil {
		t.Errorf("web %+v, db %+v", h, s.Host("db"))
	}
}

func TestTailIsBounded(t *testing.T) {
	s := startedState()
	for i := range 100 {
		s.Apply(at(i, Event{Type: LogLine, Host: "web", Line: fmt.Sprint(i)}))
	}
	h := s.Host("web")
	if len(h.Tail) != tailLines || h.Tail[0] != "80" || h.LastLine != "99" || cap(h.Tail) > 2*tailLines {
		t.Errorf("%d lines from %q, the last is %q", len(h.Tail), h.Tail[0], h.LastLine)
	}
}

func TestTailEndsBeforeWayBack(t *testing.T) {
	s := startedState()
	for i, ev := range []Event{
		{Stream: StreamOut, Line: "rolling back to the shell"},
		{Stream: StreamOut, Line: "the reason"},
		{Stream: StreamNote, Line: "rolling back to /nix/store/x"},
		{Stream: StreamOut, Line: "activating"},
	} {
		ev.Type, ev.Host = LogLine, "web"
		s.Apply(at(i, ev))
	}
	h := s.Host("web")
	if len(h.Tail) != 2 || h.Tail[1] != "the reason" || h.LastLine != "activating" {
		t.Errorf("%q, the last is %q", h.Tail, h.LastLine)
	}
	s.Apply(at(5, Event{Type: StepStarted, Host: "web", Step: Preflight}))
	s.Apply(at(6, Event{Type: LogLine, Host: "web", Line: "another job"}))
	if h = s.Host("web"); h.Tail[len(h.Tail)-1] != "another job" {
		t.Errorf("the next job: %q", h.Tail)
	}
}

func TestApplyToleratesAnyEvent(t *testing.T) {
	for _, s := range []*State{{}, startedState()} {
		for _, typ := range []Type{StepStarted, StepFinished, ProgressMade, LogLine, FactLearned, RunFinished, "unknown_type"} {
			s.Apply(Event{Type: typ})
			s.Apply(Event{Type: typ, Host: "web"})
			s.Apply(Event{Type: typ, Host: "nosuch"})
		}
	}
}

func TestApplyIgnoresEventsThatLackTheirField(t *testing.T) {
	h := NewHostState(PlannedHost{Name: "web"}, time.Unix(0, 0))
	h.Apply(at(1, Event{Type: ProgressMade, Progress: &Progress{Builds: 3}}))
	h.Apply(at(2, Event{Type: ProgressMade}))
	h.Apply(at(3, Event{Type: StepFinished, Step: Activate}))
	if h.Progress.Builds != 3 || h.Changed {
		t.Errorf("%+v", h)
	}
	s := startedState()
	s.Apply(at(4, Event{Type: RunStarted, Run: "other"}))
	if s.Run != "r" || len(s.Hosts) != 2 {
		t.Errorf("run %q with %d hosts", s.Run, len(s.Hosts))
	}
}

func TestHostStateEntersPhase(t *testing.T) {
	result := &Result{Outcome: Switched}
	for _, tt := range []struct {
		name  string
		phase Phase // before the event, since second 1
		ev    Event
		want  Phase
		since int64
	}{
		{"connect starts", Waiting, Event{Type: StepStarted, Step: Connect}, Connecting, 2},
		{"connect starts again", Working, Event{Type: StepStarted, Step: Connect}, Connecting, 2},
		{"connect finishes", Connecting, Event{Type: StepFinished, Step: Connect}, Working, 2},
		{"step starts", Working, Event{Type: StepStarted, Step: Build}, Working, 2},
		{"step finishes", Working, Event{Type: StepFinished, Step: Build}, Working, 1},
		{"step finishes while away", Reconnecting, Event{Type: StepFinished, Step: Build}, Reconnecting, 1},
		{"step starts while away", Reconnecting, Event{Type: StepStarted, Step: Verify}, Working, 1},
		{"connection drops", Working, Event{Type: FactLearned, Key: FactReconnect, Value: Lost}, Reconnecting, 1},
		{"connection is restored", Reconnecting, Event{Type: FactLearned, Key: FactReconnect, Value: Back}, Working, 1},
		{"connection drops while connecting", Connecting, Event{Type: FactLearned, Key: FactReconnect, Value: Lost}, Reconnecting, 2},
		{"unknown host is settled", Done, Event{Type: FactLearned, Key: FactReconnect, Value: Lost}, Reconnecting, 2},
		{"unknown host is back", Done, Event{Type: FactLearned, Key: FactReconnect, Value: Back}, Working, 2},
		{"other fact", Working, Event{Type: FactLearned, Key: FactBefore, Value: Lost}, Working, 1},
		{"log line", Connecting, Event{Type: LogLine, Line: "x"}, Connecting, 1},
		{"progress", Working, Event{Type: ProgressMade, Progress: &Progress{}}, Working, 1},
		{"host finishes", Working, Event{Type: HostFinished, Result: result}, Done, 2},
		{"host finishes while away", Reconnecting, Event{Type: HostFinished, Result: result}, Done, 2},
		{"waiting host is skipped", Waiting, Event{Type: HostFinished, Result: result}, Done, 2},
		{"event of the run", Waiting, Event{Type: RunFinished}, Waiting, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := NewHostState(PlannedHost{Name: "web"}, time.Unix(1, 0))
			h.Phase = tt.phase
			h.Apply(at(2, tt.ev))
			if h.Phase != tt.want || h.Since.Unix() != tt.since {
				t.Errorf("%s since %d, want %s since %d", h.Phase, h.Since.Unix(), tt.want, tt.since)
			}
			if h.Began.Unix() != 2 {
				t.Errorf("the host began at %d", h.Began.Unix())
			}
		})
	}
}

func TestHostStateKeepsWhatEventsReport(t *testing.T) {
	h := NewHostState(PlannedHost{Name: "web", Kind: "nixos", Wave: 3}, time.Unix(1, 0))
	if h.Name != "web" || h.Kind != "nixos" || h.Wave != 3 || h.Phase != Waiting || h.Since.Unix() != 1 || !h.Began.IsZero() {
		t.Errorf("a new host is %+v", h)
	}
	result := &Result{Outcome: Failed, Code: "build"}
	for i, ev := range []Event{
		{Type: StepStarted, Step: Preflight},
		{Type: FactLearned, Key: factPrevious, Value: "41"},
		{Type: StepStarted, Step: Build},
		{Type: ProgressMade, Progress: &Progress{Builds: 2, BuildsExpected: 5}},
		{Type: LogLine, Line: "one"},
		{Type: LogLine, Line: "two"},
		{Type: HostFinished, Result: result},
	} {
		h.Apply(at(i+2, ev))
	}
	switch {
	case h.Step != Build, h.Began.Unix() != 2, h.Progress != Progress{Builds: 2, BuildsExpected: 5}, h.LastLine != "two",
		!slices.Equal(h.Tail, []string{"one", "two"}), h.Facts[factPrevious] != "41", h.Result != result:
		t.Errorf("%+v", h)
	}
}

func TestHostStateChangedMeansActivated(t *testing.T) {
	activated := Event{Type: StepFinished, Step: Activate, OK: new(true)}
	for _, tt := range []struct {
		name   string
		events []Event
		want   bool
	}{
		{"not started", nil, false},
		{"activation succeeds", []Event{activated}, true},
		{"activation starts", []Event{{Type: StepStarted, Step: Activate}}, false},
		{"activation fails", []Event{{Type: StepFinished, Step: Activate, OK: new(false)}}, false},
		{"build succeeds", []Event{{Type: StepFinished, Step: Build, OK: new(true)}}, false},
		{"switch_command changes nothing", []Event{{Type: FactLearned, Key: factActivated, Value: No}, activated}, false},
		{"switch_command changes something", []Event{{Type: FactLearned, Key: factActivated, Value: Yes}, activated}, true},
		{"later step fails", []Event{activated, {Type: StepFinished, Step: Verify, OK: new(false)}}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := NewHostState(PlannedHost{}, time.Unix(0, 0))
			for _, ev := range tt.events {
				h.Apply(ev)
			}
			if h.Changed != tt.want {
				t.Errorf("changed: %v, want %v", h.Changed, tt.want)
			}
		})
	}
}

func TestHostStateAwaitsUntilNextStep(t *testing.T) {
	h := NewHostState(PlannedHost{}, time.Unix(0, 0))
	if h.Awaiting() {
		t.Error("a new host awaits permission")
	}
	h.Apply(Event{Type: FactLearned, Key: FactAwaiting, Value: "go"})
	if !h.Awaiting() {
		t.Error("the host does not await permission")
	}
	h.Apply(Event{Type: StepStarted, Step: Activate})
	if h.Awaiting() {
		t.Error("the host still awaits permission")
	}
}

func TestHostStateReachesActivation(t *testing.T) {
	for _, step := range steps {
		want := slices.Contains(steps[slices.Index(steps, Before):], step)
		if h := (&HostState{Step: step}); h.InActivation() != want {
			t.Errorf("%s: %v, want %v", step, !want, want)
		}
	}
}

// TestTailKeepsWhatFailed has commands that run after the activation has failed.
func TestTailKeepsWhatFailed(t *testing.T) {
	h := NewHostState(PlannedHost{}, time.Unix(0, 0))
	for _, ev := range []Event{
		{Type: StepStarted, Step: Activate}, {Type: LogLine, Line: "no space left"}, {Type: StepFinished, Step: Activate, OK: new(false)},
		{Type: StepStarted, Step: After}, {Type: LogLine, Line: "maintenance mode is off"}, {Type: StepFinished, Step: After, OK: new(true)},
	} {
		h.Apply(ev)
	}
	if !slices.Equal(h.Tail, []string{"no space left"}) {
		t.Errorf("the tail is %q", h.Tail)
	}
}

func TestPreviousGenerationIsZeroUnlessKnown(t *testing.T) {
	for value, want := range map[string]int{"41": 41, "": 0, "none": 0} {
		h := &HostState{Facts: map[string]string{factPrevious: value}}
		if got := h.PreviousGeneration(); got != want {
			t.Errorf("%q: %d, want %d", value, got, want)
		}
	}
}

func TestCloneIsIndependent(t *testing.T) {
	h := NewHostState(PlannedHost{Name: "web"}, time.Unix(0, 0))
	for i := range tailLines {
		h.Apply(at(i, Event{Type: LogLine, Line: fmt.Sprint(i)}))
	}
	c := h.Clone()
	h.Apply(at(30, Event{Type: LogLine, Line: "new"}))
	h.Apply(at(31, Event{Type: FactLearned, Key: FactAway, Value: Yes}))
	if c.Name != "web" || c.Tail[0] != "0" || c.LastLine != "19" || len(c.Facts) != 0 {
		t.Errorf("%+v", c)
	}
}

func TestSettledNeedsFinalOutcomes(t *testing.T) {
	for _, tt := range []struct {
		web, db           Outcome // "" means no outcome
		settled, complete bool
	}{
		{"", "", false, false},
		{Switched, "", false, false},
		{"", Failed, false, false},
		{Switched, Unknown, false, true},
		{Unknown, Switched, false, true},
		{Switched, Unreachable, true, true},
	} {
		s := startedState()
		for name, o := range map[string]Outcome{"web": tt.web, "db": tt.db} {
			if o != "" {
				s.Apply(at(1, Event{Type: HostFinished, Host: name, Result: &Result{Outcome: o}}))
			}
		}
		if s.Settled() != tt.settled || s.Complete() != tt.complete {
			t.Errorf("%q and %q: settled %v, complete %v", tt.web, tt.db, s.Settled(), s.Complete())
		}
	}
	if s := (&State{}); s.Settled() || s.Complete() {
		t.Error("a run without events is settled or complete")
	}
}

func TestApplyStartsRun(t *testing.T) {
	s := &State{Summary: &Summary{}}
	start := &Start{Goal: GoalBoot, Hosts: []PlannedHost{{Name: "b", Kind: "nixos", Wave: 1}, {Name: "a", Kind: "home", Wave: 2}}}
	s.Apply(at(7, Event{Type: RunStarted, Run: "r1", Seq: 1, Start: start}))
	if s.Run != "r1" || s.Start != start || s.Began.Unix() != 7 || s.Last.Unix() != 7 || s.Seq != 1 || s.Summary != nil {
		t.Errorf("%+v", s)
	}
	if len(s.Hosts) != 2 || s.Hosts[0].Name != "b" || s.Hosts[1].Wave != 2 || s.Host("a") != s.Hosts[1] {
		t.Errorf("hosts %+v", s.Hosts)
	}
	s.Apply(at(9, Event{Type: LogLine, Host: "a", Seq: 5}))
	if s.Last.Unix() != 9 || s.Seq != 5 || s.Began.Unix() != 7 {
		t.Errorf("event %d at %v, began %v", s.Seq, s.Last, s.Began)
	}
}

func TestApplyKeepsRollbackOfRun(t *testing.T) {
	for _, tt := range []struct {
		name, rollback string
		ev             Event
	}{
		{"rollback", "r2", Event{Type: FactLearned, Key: FactRollback, Value: "r2"}},
		{"rollback of a host", "", Event{Type: FactLearned, Host: "web", Key: FactRollback, Value: "r2"}},
		{"other fact", "", Event{Type: FactLearned, Key: FactAway, Value: Yes}},
		{"other event", "", Event{Type: LogLine, Key: FactRollback, Value: "r2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := startedState()
			s.Apply(at(1, tt.ev))
			if s.Rollback != tt.rollback {
				t.Errorf("rollback %q", s.Rollback)
			}
		})
	}
}

func TestApplyKeepsSummaryUntilHostIsSettledAgain(t *testing.T) {
	finished := func() (*State, *Summary) {
		s := startedState()
		s.Apply(at(1, Event{Type: HostFinished, Host: "web", Result: &Result{Outcome: Switched}}))
		s.Apply(at(1, Event{Type: HostFinished, Host: "db", Result: &Result{Outcome: Unknown}}))
		sum := s.Summarize()
		s.Apply(at(2, Event{Type: RunFinished, Summary: &sum}))
		return s, &sum
	}
	for _, tt := range []struct {
		name string
		ev   Event
		kept bool
	}{
		{"log line of a host", Event{Type: LogLine, Host: "db", Line: "x"}, true},
		{"log line of the run", Event{Type: LogLine, Line: "x"}, true},
		{"host of another run", Event{Type: LogLine, Host: "nosuch"}, true},
		{"unknown host reconnects", Event{Type: FactLearned, Host: "db", Key: FactReconnect, Value: Lost}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, sum := finished()
			if s.Summary == nil || s.Summary.ExitCode != sum.ExitCode {
				t.Fatalf("summary %+v", s.Summary)
			}
			s.Apply(at(3, tt.ev))
			if (s.Summary != nil) != tt.kept {
				t.Errorf("summary %+v", s.Summary)
			}
		})
	}
}

func BenchmarkApplyLogLine(b *testing.B) {
	s := startedState()
	ev := Event{Type: LogLine, Host: "web", Line: "copying path '/nix/store/x'", Stream: "out"}
	b.ReportAllocs()
	for b.Loop() {
		s.Apply(ev)
	}
}

func TestProgressOfBuildNeverDecreases(t *testing.T) {
	h := NewHostState(PlannedHost{Name: "web"}, time.Time{})
	apply := func(ev Event) int { h.Apply(ev); return h.Built }
	apply(Event{Type: StepStarted, Step: Build})
	var got []int
	for _, p := range []Progress{{Copies: 3, CopiesExpected: 6}, {Copies: 6, CopiesExpected: 6}, {Copies: 6, CopiesExpected: 6, BuildsExpected: 6}, {Copies: 6, CopiesExpected: 6, Builds: 6, BuildsExpected: 6}} {
		got = append(got, apply(Event{Type: ProgressMade, Progress: &p}))
	}
	if want := []int{500, 900, 900, 900}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := apply(Event{Type: StepStarted, Step: Build}); got != 0 {
		t.Errorf("another build starts with %d", got)
	}
}
