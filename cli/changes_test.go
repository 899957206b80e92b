package cli

import (
	"fmt"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/change"
)

func TestSummaryShowsWhatChanged(t *testing.T) {
	t.Parallel()
	changes := func() *change.Set {
		s := &change.Set{
			Counts:  map[change.Word]int{},
			Closure: &change.Closure{Before: 3 << 30, After: 3<<30 + 62669, Difference: 62669},
			Units:   []change.Units{{Verb: "restart", Units: []string{"a.service", "b.service"}}, {Verb: "fail", Units: []string{"c.service"}}},
		}
		for i := range changesShown + 5 {
			s.Packages = append(s.Packages, change.Package{Name: fmt.Sprintf("p%d", i), Before: "1", After: "2", Word: change.Up})
			s.Counts[change.Up]++
		}
		return s
	}
	undone := changes()
	undone.Undone = true
	summary := func(events ...fleet.Event) string {
		env := newTestEnv(t)
		var s fleet.State
		for _, ev := range events {
			s.Apply(ev)
		}
		printSummary(env.Env, nil, &s)
		return env.out.String()
	}

	one := summary(runStarted("hsb0"), hostFinished("hsb0", fleet.Result{Outcome: fleet.Degraded, Changes: changes()}))
	for _, want := range []string{
		"what changed\n  hsb0  25 up; closure 3.0 GiB, +61.2 KiB; units: 2 restarted, 1 failed\n",
		"\n    ↑ up    p19 1 → 2\n    and 5 more\n    restarted a.service b.service\n    failed c.service\n",
	} {
		if !strings.Contains(one, want) {
			t.Errorf("%q is missing in\n%s", want, one)
		}
	}
	two := summary(runStarted("hsb0", "csb0-long"), hostFinished("hsb0", fleet.Result{Outcome: fleet.Switched, Changes: changes()}),
		hostFinished("csb0-long", fleet.Result{Outcome: fleet.RolledBack, Changes: undone}))
	if !strings.Contains(two, "  csb0-long  nothing in the end; undone: 25 up") || !strings.Contains(two, "  hsb0       25 up") || strings.Contains(two, "p19") {
		t.Errorf("of two hosts:\n%s", two)
	}
	if none := summary(runStarted("hsb0"), hostFinished("hsb0", fleet.Result{Outcome: fleet.Unchanged})); strings.Contains(none, "what changed") {
		t.Errorf("nothing changed, but:\n%s", none)
	}
}
