package cli

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/tui"
)

// recordRun makes the record of a run of one host, which is owned until release is called.
func recordRun(t *testing.T, env *testEnv, fleetName string, outcome fleet.Outcome) (run string, release func() error) {
	t.Helper()
	rec, journal, err := env.records().Create(env.Now())
	if err != nil {
		t.Fatal(err)
	}
	events := []fleet.Event{{Type: fleet.RunStarted, Start: &fleet.Start{Fleet: fleetName, Goal: "switch", Operator: "mba@imac0", Hosts: []fleet.PlannedHost{{Name: "hsb0", Kind: "nixos", Wave: 1}}}}}
	if outcome != "" {
		events = append(events, fleet.Event{Type: fleet.HostFinished, Host: "hsb0", Result: &fleet.Result{Outcome: outcome, Reason: "it does not compile", Seconds: 3}})
	}
	for i, ev := range events {
		ev.Run, ev.Seq, ev.Time = rec.Run, uint64(i+1), env.Now()
		if err := journal.Append(ev); err != nil {
			t.Fatal(err)
		}
	}
	return rec.Run, func() error { return journal.Close() }
}

func TestTableListsRunsOfItsFleet(t *testing.T) {
	t.Parallel()
	env := newTestEnv(t)
	first, release := recordRun(t, env, "barta", fleet.Failed)
	release()
	env.Now = func() time.Time { return time.Now().Add(time.Minute) }
	second, releaseSecond := recordRun(t, env, "barta", fleet.Switched)
	releaseSecond()
	env.Now = func() time.Time { return time.Now().Add(2 * time.Minute) }
	running, stop := recordRun(t, env, "barta", "")
	t.Cleanup(func() { stop() })
	_, releaseOther := recordRun(t, env, "another", fleet.Switched)
	releaseOther()
	c := &tableController{env: env.Env, ctx: context.Background(), inv: &inventory.Inventory{Name: "barta"}}
	runs, err := c.recordedRuns()
	if err != nil || len(runs) != 3 {
		t.Fatalf("%+v, %v", runs, err)
	}
	if r := runs[0]; r.Run != running || !r.Running || r.Ended {
		t.Errorf("the newest is %+v", r)
	}
	if r := runs[2]; r.Run != first || r.Running || !r.Ended || r.Counts[fleet.Failed] != 1 || r.Hosts != 1 {
		t.Errorf("the oldest is %+v", r)
	}
	state, events, err := c.readRun(first)
	if err != nil || state.Host("hsb0").Result.Outcome != fleet.Failed || !strings.Contains(linesOf(events), "failed: it does not compile") {
		t.Errorf("%s, %v", linesOf(events), err)
	}
	lines, err := c.compareRecorded(first, second)
	if err != nil || !strings.Contains(linesOf(lines), "failed → switched") {
		t.Errorf("%s, %v", linesOf(lines), err)
	}
}

func linesOf(texts []tui.Text) string {
	var all strings.Builder
	for _, t := range texts {
		all.WriteString(t.Line + "\n")
	}
	return all.String()
}
