package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/internal/demo"
	"github.com/markus-barta/nixfleet/internal/fleettest"
	"github.com/markus-barta/nixfleet/internal/testmain"
)

// TestMain runs the tests of this package. Those that use SSH mostly wait.
func TestMain(m *testing.M) { testmain.Run(m) }

func TestAttachOverSSH(t *testing.T) {
	f := fleettest.New(t,
		demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1},
		demo.Host{Name: "desk", Kind: "home", User: "mba", Wave: 1})
	ctx, abandon := context.WithCancel(t.Context())
	defer abandon()
	rev, state := f.Deploy(ctx, func(ev fleet.Event) {
		if ev.Host == "web" && ev.Type == fleet.StepStarted && ev.Step == fleet.Build {
			abandon()
		}
	}, "slow-build 1")
	if state.Settled() {
		t.Fatal("the run finished before it was abandoned")
	}
	record, err := f.Engine.Records.Open(state.Run)
	if err != nil {
		t.Fatal(err)
	}
	var seen fleet.State
	summary, err := f.NewEngine(f.Engine.Records.Dir).Attach(t.Context(), record, f.Inv, seen.Apply)
	if err != nil || summary.ExitCode != fleet.ExitOK {
		t.Errorf("%+v, %v", summary, err)
	}
	for _, h := range seen.Hosts {
		if h.Result.Outcome != fleet.Switched || h.Result.After != rev || h.Result.Before == "" || h.Result.Generation == 0 {
			t.Errorf("%s: %+v", h.Name, *h.Result)
		}
		f.ExpectWholeLog(state.Run, h.Name)
	}
}

func TestCancelOverSSH(t *testing.T) {
	f := fleettest.New(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	cancelled := make(chan error, 1)
	_, state := f.Deploy(t.Context(), func(ev fleet.Event) {
		if ev.Type == fleet.StepStarted && ev.Step == fleet.Build {
			go func() {
				record, err := f.Engine.Records.Open(ev.Run)
				if err == nil {
					err = f.NewEngine(f.Engine.Records.Dir).Cancel(t.Context(), record, f.Inv, func(host, answer string) {
						if host != "web" || answer != "cancelled" {
							t.Errorf("%s answers %q", host, answer)
						}
					})
				}
				cancelled <- err
			}()
		}
	}, "slow-build 60")
	if err := <-cancelled; err != nil {
		t.Error(err)
	}
	if r := state.Host("web").Result; r.Outcome != fleet.Cancelled {
		t.Errorf("%+v", *r)
	}
	f.ExpectWholeLog(state.Run, "web")
}

func TestRollbackOverSSH(t *testing.T) {
	f := fleettest.New(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	f.Options.ConfirmTimeout = time.Second
	_, state := f.Deploy(t.Context(), func(ev fleet.Event) {
		// The next login is that of the confirmation.
		if ev.Type == fleet.StepStarted && ev.Step == fleet.Pull {
			f.Shut.Store(true)
		}
	})
	if r := state.Host("web").Result; r.Outcome != fleet.RolledBack || r.Code != "unconfirmed" || r.After != r.Before || r.Changes == nil || !r.Changes.Undone {
		t.Errorf("%+v", *r)
	}

	f.Shut.Store(false)
	// A busy machine may need more than a second.
	f.Options.ConfirmTimeout = fleet.DefaultConfirmTimeout
	rev, state := f.Deploy(t.Context(), func(fleet.Event) {})
	if r := state.Host("web").Result; r.Outcome != fleet.Switched || r.After != rev || r.Confirmed != "operator" {
		t.Errorf("after the host is reachable again: %+v", *r)
	}
	state = f.Run(fleet.Options{Goal: fleet.GoalRollback})
	if r := state.Host("web").Result; r.Outcome != fleet.Switched || r.Before != rev || r.After == rev {
		t.Errorf("rolled back: %+v", *r)
	}
}
