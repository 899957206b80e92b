package engine_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/internal/demo"
	"github.com/markus-barta/nixfleet/internal/fleettest"
)

// newLocal starts a host without an SSH server, which is worked on locally.
func newLocal(t *testing.T, h demo.Host) *fleettest.Fleet {
	f := fleettest.New(t, h)
	f.Server(h.Name).Close()
	f.Local = true
	return f
}

// TestLocalHostIsDeployedAndRolledBackWithoutSSH takes a system and a home through a deploy with a
// sudo password, a confirmation, a rollback, and what is between runs.
func TestLocalHostIsDeployedAndRolledBackWithoutSSH(t *testing.T) {
	for _, h := range []demo.Host{
		{Name: "web", Kind: "nixos", User: "mba", Wave: 1, SudoPassword: "secret"},
		{Name: "desk", Kind: "home", User: "mba", Wave: 1},
	} {
		t.Run(h.Kind, func(t *testing.T) {
			f := newLocal(t, h)
			prompts := 0
			f.Engine.SudoPassword = func(context.Context, string, bool) (string, error) {
				prompts++
				return "secret", nil
			}
			rev, state := f.Deploy(t.Context(), func(fleet.Event) {})
			if r := state.Host(h.Name).Result; r.Outcome != fleet.Switched || r.After != rev || r.Confirmed != "operator" {
				t.Fatalf("deploy: %+v", *r)
			}
			if asked := prompts > 0; asked != (h.SudoPassword != "") {
				t.Errorf("%d prompts for sudo's password", prompts)
			}
			f.ExpectWholeLog(state.Run, h.Name)
			if s := f.Health(h.Name).System; s.Revision != rev {
				t.Errorf("the status has the revision %q", s.Revision)
			}
			state = f.Run(fleet.Options{Goal: fleet.GoalRollback})
			if r := state.Host(h.Name).Result; r.Outcome != fleet.Switched || r.Before != rev || r.After == rev || r.Confirmed != "operator" {
				t.Errorf("rollback: %+v", *r)
			}
		})
	}
}

// TestLocalHostGoesBackWithoutConfirmation lets no local login confirm the activation.
func TestLocalHostGoesBackWithoutConfirmation(t *testing.T) {
	f := newLocal(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	f.Options.ConfirmTimeout = time.Second
	_, state := f.Deploy(t.Context(), func(ev fleet.Event) {
		// The next login is that of the confirmation.
		if ev.Type == fleet.StepStarted && ev.Step == fleet.Pull {
			f.Shut.Store(true)
		}
	})
	if r := state.Host("web").Result; r.Outcome != fleet.RolledBack || r.Code != "unconfirmed" || r.After != r.Before {
		t.Errorf("%+v", *r)
	}
}

// TestLocalHostWhoseSSHServerFallsSilentGoesBack deploys what silences an SSH server. A local login
// works nevertheless, but must not confirm that.
func TestLocalHostWhoseSSHServerFallsSilentGoesBack(t *testing.T) {
	f := newLocal(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	// Stand-ins for a server that answers until a new system runs.
	bin := filepath.Join(f.Root("web"), "nix/var/nix/profiles/default/bin")
	before, err := os.Readlink(filepath.Join(f.Root("web"), "run/current-system"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"ip":          "echo '2: eth0 inet 192.0.2.7/24 scope global eth0'",
		"ssh-keyscan": `[ "$(readlink "$FLEETCTL_ROOT/run/current-system")" != ` + before + ` ] || echo "192.0.2.7 ssh-ed25519 AAAA"`,
	} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	f.Options.ConfirmTimeout = 2 * time.Second
	_, state := f.Deploy(t.Context(), func(fleet.Event) {})
	if r := state.Host("web").Result; r.Outcome != fleet.RolledBack || r.After != r.Before {
		t.Errorf("%+v", *r)
	}
}

// TestLocalJobOutlivesOperator abandons a run on a local host, as if fleetctl were killed, and lets
// another process attach to it.
func TestLocalJobOutlivesOperator(t *testing.T) {
	f := newLocal(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	ctx, abandon := context.WithCancel(t.Context())
	defer abandon()
	rev, state := f.Deploy(ctx, func(ev fleet.Event) {
		if ev.Type == fleet.StepStarted && ev.Step == fleet.Build {
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
	if _, err := f.NewEngine(f.Engine.Records.Dir).Attach(t.Context(), record, f.Inv, seen.Apply); err != nil {
		t.Fatal(err)
	}
	if r := seen.Host("web").Result; r.Outcome != fleet.Switched || r.After != rev {
		t.Errorf("%+v", *r)
	}
	f.ExpectWholeLog(state.Run, "web")
}
