package fleet

import (
	"fmt"
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

func TestSummarizeReportsWorstExitCode(t *testing.T) {
	for _, tt := range []struct {
		results []Result
		want    int
	}{
		{[]Result{{Outcome: Switched}, {Outcome: Skipped, Code: "offline"}}, ExitOK},
		{[]Result{{Outcome: Unchanged}, {Outcome: RebootNeeded}}, ExitOK},
		{[]Result{{Outcome: Degraded}, {Outcome: Unreachable}}, ExitFailed},
		{[]Result{{Outcome: RolledBack}}, ExitFailed},
		{[]Result{{Outcome: Unknown}, {Outcome: Switched}}, ExitUnreachable},
		{[]Result{{Outcome: Failed}, {Outcome: Skipped, Code: "interrupted"}}, ExitInterrupted},
	} {
		s := startedState()
		for i, r := range tt.results {
			s.Apply(at(9, Event{Type: HostFinished, Host: s.Hosts[i].Name, Result: &r}))
		}
		if got := s.Summarize(); got.ExitCode != tt.want || got.Seconds != 9 {
			t.Errorf("%+v: %+v, want exit code %d", tt.results, got, tt.want)
		}
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
