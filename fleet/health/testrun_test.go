package health

import (
	"testing"
	"time"
)

func TestTestRunSentence(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for want, r := range map[string]TestRun{
		"1 test passed 2h ago":                    {Passed: 1},
		"3 tests passed 2h ago":                   {Passed: 3},
		"1 of 3 tests failed 2h ago: 20-web.sh":   {Passed: 2, Failed: []string{"20-web.sh"}},
		"tests could not run 2h ago: no checkout": {Problem: "no checkout"},
		"2 of 2 tests failed 2h ago: a.sh, b.sh":  {Failed: []string{"a.sh", "b.sh"}, Problem: "took too long"},
	} {
		r.Time = now.Add(-2 * time.Hour)
		if got := r.Sentence(now); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
