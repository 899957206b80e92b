package health

import (
	"fmt"
	"strings"
	"time"
)

// TestRun is how the repository's tests last ended on a host. The judgement does not depend on it,
// because tests may check more than the host itself.
type TestRun struct {
	Time     time.Time `json:"time"`               // when they ended, by the operator's clock
	Revision string    `json:"revision,omitempty"` // commit of the checkout; "" if unknown
	Passed   int       `json:"passed"`
	Failed   []string  `json:"failed,omitempty"`  // names of tests
	Problem  string    `json:"problem,omitempty"` // why not all of them were run
}

// OK reports whether all tests were run and passed.
func (r *TestRun) OK() bool { return r.Problem == "" && len(r.Failed) == 0 }

// Sentence returns the result as a sentence: "1 of 3 tests failed 4m ago: 20-web.sh".
func (r *TestRun) Sentence(now time.Time) string {
	when, all := ago(now.Sub(r.Time)), r.Passed+len(r.Failed)
	number := func(n int) string {
		if n == 1 {
			return "1 test"
		}
		return fmt.Sprintf("%d tests", n)
	}
	switch {
	case len(r.Failed) > 0:
		return fmt.Sprintf("%d of %s failed %s: %s", len(r.Failed), number(all), when, strings.Join(r.Failed, ", "))
	case r.Problem != "":
		return fmt.Sprintf("tests could not run %s: %s", when, r.Problem)
	}
	return number(all) + " passed " + when
}
