package fleet

import (
	"maps"
	"testing"
)

func TestSummarizeReportsWorstExitCode(t *testing.T) {
	interrupted := Result{Outcome: Skipped, Code: CodeInterrupted}
	for _, tt := range []struct {
		name    string
		results []Result // of web and db
		want    int
	}{
		{"no outcome", nil, ExitOK},
		{"switched", []Result{{Outcome: Switched}}, ExitOK},
		{"offline host is skipped", []Result{{Outcome: Switched}, {Outcome: Skipped, Code: CodeOffline}}, ExitOK},
		{"unchanged, reboot needed", []Result{{Outcome: Unchanged}, {Outcome: RebootNeeded}}, ExitOK},
		{"built, pulled", []Result{{Outcome: Built}, {Outcome: Pulled}}, ExitOK},
		{"degraded", []Result{{Outcome: Degraded}}, ExitFailed},
		{"failed", []Result{{Outcome: Switched}, {Outcome: Failed}}, ExitFailed},
		{"rolled back", []Result{{Outcome: RolledBack}}, ExitFailed},
		{"cancelled", []Result{{Outcome: Cancelled}}, ExitFailed},
		{"failed, then skipped", []Result{{Outcome: Failed}, {Outcome: Skipped, Code: CodeWave}}, ExitFailed},
		{"failure outweighs unreachable", []Result{{Outcome: Degraded}, {Outcome: Unreachable}}, ExitFailed},
		{"failure outweighs unknown", []Result{{Outcome: Unknown}, {Outcome: Failed}}, ExitFailed},
		{"unreachable", []Result{{Outcome: Switched}, {Outcome: Unreachable}}, ExitUnreachable},
		{"unknown", []Result{{Outcome: Unknown}, {Outcome: Switched}}, ExitUnreachable},
		{"interrupted", []Result{{Outcome: Switched}, interrupted}, ExitInterrupted},
		{"interruption outweighs failure", []Result{{Outcome: Failed}, interrupted}, ExitInterrupted},
		{"interruption outweighs unreachable", []Result{interrupted, {Outcome: Unreachable}}, ExitInterrupted},
		{"failure with the code of an interruption", []Result{{Outcome: Failed, Code: CodeInterrupted}}, ExitFailed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := startedState()
			s.Apply(at(9, Event{Type: LogLine}))
			want := map[Outcome]int{}
			for i, r := range tt.results {
				s.Apply(at(9, Event{Type: HostFinished, Host: s.Hosts[i].Name, Result: &r}))
				want[r.Outcome]++
			}
			got := s.Summarize()
			if got.ExitCode != tt.want || got.Seconds != 9 || !maps.Equal(got.Counts, want) {
				t.Errorf("%+v, want exit code %d and counts %v", got, tt.want, want)
			}
		})
	}
}

func TestSummarizeCountsOutcomes(t *testing.T) {
	s := startedState()
	for _, name := range []string{"web", "db"} {
		s.Apply(Event{Type: HostFinished, Host: name, Result: &Result{Outcome: Built}})
	}
	if got := s.Summarize().Counts; !maps.Equal(got, map[Outcome]int{Built: 2}) {
		t.Errorf("%v", got)
	}
}
