package cli

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/record"
	"github.com/markus-barta/nixfleet/internal/hint"
)

// recordMissedDeploy records a deploy that a host missed, and a log of the host.
func recordMissedDeploy(t *testing.T, env *Env, name string, at time.Time) *record.Record {
	t.Helper()
	rec, journal, err := env.records().Create(at)
	if err != nil {
		t.Fatal(err)
	}
	defer journal.Close()
	for n, ev := range []fleet.Event{
		{Type: fleet.RunStarted, Start: &fleet.Start{Fleet: "test", Goal: fleet.GoalSwitch, Hosts: []fleet.PlannedHost{{Name: name}}}},
		hostFinished(name, fleet.Result{Outcome: fleet.Unknown, Code: fleet.CodeLost, Reason: "lost"}),
		{Type: fleet.RunFinished},
	} {
		ev.Seq = uint64(n + 1)
		if err := journal.Append(ev); err != nil {
			t.Fatal(err)
		}
	}
	log, err := journal.CreateLog(name, "N", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	if err := log.Append([]byte("built on " + name + "\n")); err != nil {
		t.Fatal(err)
	}
	return rec
}

func TestDamagedRecordDoesNotHideOthers(t *testing.T) {
	env := newTestEnv(t)
	good := recordMissedDeploy(t, env.Env, "web", env.Now())
	bad := recordMissedDeploy(t, env.Env, "api", env.Now().Add(time.Hour))
	text, err := os.ReadFile(bad.EventsPath())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(bad.EventsPath(), []byte(strings.Replace(string(text), "unknown", "failed!", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	named := "the record of run " + bad.Run + " is damaged"

	err = listRuns(env.Env, historyOptions{limit: 20, output: outputText})
	if err == nil || !strings.Contains(err.Error(), named) || !strings.Contains(env.out.String(), good.Run) || strings.Contains(env.out.String(), bad.Run) {
		t.Errorf("history: %v\n%s", err, env.out)
	}

	inv := &inventory.Inventory{Name: "test", Hosts: hostsNamed("web", "api"), Parallel: 2}
	c := &host.Client{Dialer: fakeHosts{}, Inventory: inv}
	if err := runStatus(t.Context(), env.Env, statusOptions{output: outputText}, c, inv.Hosts); exitCodeOf(err) != fleet.ExitUnreachable {
		t.Errorf("status: %v", err)
	}
	if !strings.Contains(env.err.String(), named) || !strings.Contains(env.out.String(), "web") {
		t.Errorf("status printed\n%s%s", env.err, env.out)
	}

	for _, run := range []struct {
		rec  *record.Record
		host string
	}{{good, "web"}, {bad, "api"}} {
		if err := requireHost(env.Env, run.rec, run.host); err != nil {
			t.Errorf("logs of %s: %v", run.host, err)
		}
		if err := printLog(t.Context(), env.Env, logsOptions{}, run.rec, run.host); err != nil || !strings.Contains(env.out.String(), "built on "+run.host) {
			t.Errorf("logs of %s: %v", run.host, err)
		}
	}
	if err := requireHost(env.Env, bad, "../web"); err == nil {
		t.Error("logs of a host without a log in the damaged record")
	}
	if rec, err := env.record([]string{good.Run}); err != nil || rec.Run != good.Run {
		t.Errorf("open %v, %v", rec, err)
	}
	if err := os.WriteFile(bad.EventsPath(), []byte("x"+string(text)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := env.record(nil); err == nil || !strings.Contains(err.Error(), named) || !strings.Contains(hint.Of(err), "fleetctl history") {
		t.Errorf("last: %v", err)
	}
}
