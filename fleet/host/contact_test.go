package host

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet/health"
)

type refusal struct {
	code    string
	offline bool
}

func (e refusal) Error() string { return "web:  connect:\n refused\x1b[31m" }
func (e refusal) Code() string  { return e.code }
func (e refusal) Offline() bool { return e.offline }
func (refusal) Hint() string    { return "" }

func TestContactTellsOfflineFromRefused(t *testing.T) {
	for _, test := range []struct {
		name      string
		reachable bool
		err       error
		want      health.Contact
	}{
		{"not asked", false, nil, health.Contact{}},
		{"answered", true, nil, health.Contact{Reach: health.Answered}},
		{"failed probe", true, context.DeadlineExceeded, health.Contact{Reach: health.Answered, Reason: "context deadline exceeded"}},
		{"lost in a probe", true, refusal{"lost", true}, health.Contact{Reach: health.Answered, Reason: "connect: refused"}},
		{"offline", false, refusal{"no-route", true}, health.Contact{Reach: health.Offline, Code: "no-route", Reason: "connect: refused"}},
		{"login", false, refusal{"auth", false}, health.Contact{Reach: health.Refused, Code: "auth", Reason: "connect: refused"}},
		{"unknown key", false, fmt.Errorf("web: %w", refusal{health.CodeHostKeyUnknown, false}), health.Contact{Reach: health.Refused, Code: "host-key-unknown", Reason: "web: connect: refused"}},
		{"bad ssh_config", false, refusal{"config", false}, health.Contact{Code: "config", Reason: "connect: refused"}},
		{"no socket left", false, refusal{"local", false}, health.Contact{Code: "local", Reason: "connect: refused"}},
		{"interrupted", false, refusal{"stopped", false}, health.Contact{Code: "stopped", Reason: "connect: refused"}},
		{"another error", false, errors.New("panic"), health.Contact{Reason: "panic"}},
	} {
		s := Status{Host: "web", Reachable: test.reachable, Err: test.err}
		if got := s.Observation().Contact; got != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
	}
}

func TestObservationTimesDefaultToTheTimeOfTheAttempt(t *testing.T) {
	asked := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	facts, checkout := asked.Add(-time.Minute), asked.Add(-time.Hour)
	for _, test := range []struct {
		s                     Status
		wantFacts, wantProbed time.Time
	}{
		{Status{Time: asked}, asked, asked},
		{Status{Time: asked, FactsTime: facts}, facts, facts},
		{Status{Time: asked, FactsTime: facts, CheckoutTime: checkout}, facts, checkout},
	} {
		if o := test.s.Observation(); o.Time != asked || o.FactsTime != test.wantFacts || o.CheckoutTime != test.wantProbed || o.OtherAgent {
			t.Errorf("%+v: %+v", test.s, o)
		}
	}
	if o := (Status{OtherAgent: &health.AgentVersionError{}}).Observation(); !o.OtherAgent {
		t.Error("the agent of another version is missing")
	}
}
