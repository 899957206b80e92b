package fleet

import (
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet/health"
)

func TestLastRunIsTheOutcomeAsEvidence(t *testing.T) {
	const before, after, target = "1111111", "2222222", "3333333"
	ended := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		outcome            Outcome
		goal               string
		after              string
		revision, checkout string
	}{
		{Switched, GoalSwitch, after, after, target},
		{Unchanged, GoalSwitch, after, after, target},
		{RebootNeeded, GoalBoot, after, after, target},
		{Degraded, GoalTest, after, after, target},
		{Degraded, GoalSwitch, "", "", target},
		{Built, GoalBuild, "", before, target},
		{Pulled, GoalPull, "", before, target},
		{Failed, GoalSwitch, "", before, ""},
		{RolledBack, GoalSwitch, after, after, ""},
		{Cancelled, GoalSwitch, "", before, ""},
		{Unreachable, GoalSwitch, "", "", ""},
		{Unknown, GoalSwitch, "", "", ""},
		{Skipped, GoalSwitch, "", "", ""},
		{Switched, GoalRollback, after, after, ""},
	} {
		s := &State{}
		s.Apply(Event{Type: RunStarted, Run: "r", Time: ended.Add(-time.Hour), Start: &Start{Goal: test.goal, Revision: target, Hosts: []PlannedHost{{Name: "web"}}}})
		if s.LastRun("web") != nil || s.LastRun("other") != nil {
			t.Fatal("a run without an outcome has one")
		}
		s.Apply(Event{Type: HostFinished, Host: "web", Time: ended, Result: &Result{
			Outcome: test.outcome, Step: Build, Reason: "why", Before: before, After: test.after, Generation: 7,
		}})
		want := health.LastRun{
			Goal: test.goal, Outcome: string(test.outcome), Step: "build", Reason: "why", Time: ended, Generation: 7,
			Revision: test.revision, Checkout: test.checkout,
		}
		if got := s.LastRun("web"); got == nil || *got != want {
			t.Errorf("%s: %+v, want %+v", test.outcome, got, want)
		}
	}
	if (&State{}).LastRun("web") != nil {
		t.Error("a run that has not started has an outcome")
	}
}

// TestHealthKnowsTheOutcomesThatNeedAttention exists because package health cannot import this one
// and knows outcomes only by their words.
func TestHealthKnowsTheOutcomesThatNeedAttention(t *testing.T) {
	for _, o := range Outcomes {
		last := health.LastRun{Outcome: string(o)}
		if want := o == Failed || o == RolledBack || o == Degraded; last.NeedsAttention() != want {
			t.Errorf("%s: %v", o, !want)
		}
	}
}
