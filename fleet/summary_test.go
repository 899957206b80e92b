package fleet

import (
	"maps"
	"strings"
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

func TestSummarizeWarnsOfDifferentFilesAtOneCommit(t *testing.T) {
	const commit, hash, other = "1111111111111111111111111111111111111111",
		"sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "sha256-BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB="
	for name, tt := range map[string]struct {
		facts [2][2]string // commit and hash of web and db
		want  string
	}{
		"same":           {[2][2]string{{commit, hash}, {commit, hash}}, ""},
		"different":      {[2][2]string{{commit, hash}, {commit, other}}, "commit 1111111 from different files: web (" + hash + "); db (" + other + ")"},
		"other commit":   {[2][2]string{{commit, hash}, {"2" + commit[1:], other}}, ""},
		"not reported":   {[2][2]string{{commit, hash}, {commit, ""}}, ""},
		"not a hash":     {[2][2]string{{commit, hash}, {commit, "sha256-x"}}, ""},
		"not a commit":   {[2][2]string{{"x", hash}, {"x", other}}, ""},
		"commit unknown": {[2][2]string{{"", hash}, {"", other}}, ""},
	} {
		s := startedState()
		for i, facts := range tt.facts {
			s.Apply(at(1, Event{Type: FactLearned, Host: s.Hosts[i].Name, Key: FactCommit, Value: facts[0]}))
			s.Apply(at(1, Event{Type: FactLearned, Host: s.Hosts[i].Name, Key: FactNarHash, Value: facts[1]}))
		}
		got := strings.Join(s.Summarize().Warnings, "\n")
		if got != tt.want && (tt.want == "" || !strings.Contains(got, tt.want)) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
