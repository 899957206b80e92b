package host_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/demo"
	"github.com/markus-barta/nixfleet/internal/fleettest"
)

func TestRebootChecksBootID(t *testing.T) {
	f := fleettest.New(t,
		demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1},
		demo.Host{Name: "desk", Kind: "home", User: "markus", Wave: 1})
	before := f.Health("web").BootID
	results := f.Reboot(host.RebootOptions{})
	if r := results["web"]; r.Outcome != host.Rebooted {
		t.Errorf("web: %+v", r)
	}
	if after := f.Health("web").BootID; after == before {
		t.Errorf("still in boot %s", after)
	}
	if r := results["desk"]; r.Outcome != host.RebootSkipped || !strings.Contains(r.Reason, "home") {
		t.Errorf("desk: %+v", r)
	}
}

func TestRebootReportsHostThatDoesNotGoDown(t *testing.T) {
	f := fleettest.New(t,
		demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1},
		demo.Host{Name: "api", Kind: "nixos", User: "mba", Wave: 2})
	systemctl := filepath.Join(f.Root("web"), "nix/var/nix/profiles/default/bin/systemctl")
	if err := os.WriteFile(systemctl, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	results := f.Reboot(host.RebootOptions{Limit: time.Second})
	if r := results["web"]; r.Outcome != host.RebootLost || !strings.Contains(r.Reason, "not gone down") || r.Hint == "" {
		t.Errorf("web: %+v", r)
	}
	if r := results["api"]; r.Outcome != host.RebootSkipped || !strings.Contains(r.Reason, "wave 1 failed: web") {
		t.Errorf("api: %+v", r)
	}
}

func TestRebootIfNeeded(t *testing.T) {
	f := fleettest.New(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	if r := f.Reboot(host.RebootOptions{IfNeeded: true})["web"]; r.Outcome != host.RebootNotNeeded {
		t.Errorf("%+v", r)
	}
	f.Deploy(t.Context(), func(fleet.Event) {}, "new-kernel")
	if r := f.Reboot(host.RebootOptions{IfNeeded: true})["web"]; r.Outcome != host.Rebooted {
		t.Errorf("with a new kernel: %+v", r)
	}
	if r := f.Reboot(host.RebootOptions{IfNeeded: true})["web"]; r.Outcome != host.RebootNotNeeded {
		t.Errorf("after the reboot: %+v", r)
	}
}

func TestRebootPromptsForSudoPassword(t *testing.T) {
	f := fleettest.New(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1, SudoPassword: "right"})
	if r := f.Reboot(host.RebootOptions{})["web"]; r.Outcome != host.RebootRefused || !strings.Contains(r.Reason, "password") {
		t.Errorf("without an operator: %+v", r)
	}
	asked := 0
	f.Client.SudoPassword = func(_ context.Context, host string, again bool) (string, error) {
		asked++
		if again != (asked > 1) {
			t.Errorf("prompt %d: again is %v", asked, again)
		}
		return []string{"wrong", "right"}[asked-1], nil
	}
	r := f.Reboot(host.RebootOptions{})["web"]
	if r.Outcome != host.Rebooted || asked != 2 {
		t.Errorf("prompted %d times: %+v", asked, r)
	}
}

func TestRebootStopsAfterThreePasswords(t *testing.T) {
	f := fleettest.New(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1, SudoPassword: "right"})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	asked := 0
	f.Client.SudoPassword = func(context.Context, string, bool) (string, error) {
		if asked++; asked > 10 {
			cancel()
		}
		return "wrong", ctx.Err()
	}
	var result host.RebootResult
	f.Client.Reboot(ctx, f.Inv.Hosts, host.RebootOptions{Limit: time.Second}, func(r host.RebootResult) { result = r })
	if result.Outcome != host.RebootRefused || !strings.Contains(result.Reason, "rejected the password") || asked != 3 {
		t.Errorf("prompted %d times: %+v", asked, result)
	}
}

func TestRebootRefusesHostWithJob(t *testing.T) {
	f := fleettest.New(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	var r host.RebootResult
	f.Deploy(t.Context(), func(ev fleet.Event) {
		if ev.Type == fleet.StepStarted && ev.Step == fleet.Build {
			r = f.Reboot(host.RebootOptions{})["web"]
		}
	}, "slow-build 1")
	if r.Outcome != host.RebootRefused || !strings.Contains(r.Reason, "me@here") {
		t.Errorf("%+v", r)
	}
}

// lossy loses the answer of a host to the request to reboot.
type lossy struct{ *fleettest.Fleet }

func (f lossy) Dial(ctx context.Context, h *inventory.Host) (host.Conn, error) {
	conn, err := f.Fleet.Dial(ctx, h)
	return lossyConn{conn}, err
}

type lossyConn struct{ host.Conn }

func (c lossyConn) Run(ctx context.Context, cmd host.Command) (int, error) {
	if !strings.Contains(cmd.Script, "# reboot.sh") {
		return c.Conn.Run(ctx, cmd)
	}
	cmd.Stdout = nil
	c.Conn.Run(ctx, cmd)
	return 0, errors.New("connection reset by peer")
}

func TestRebootSurvivesLostAnswer(t *testing.T) {
	f := fleettest.New(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	f.Client.Dialer = lossy{f}
	if r := f.Reboot(host.RebootOptions{})["web"]; r.Outcome != host.Rebooted {
		t.Errorf("%+v", r)
	}
}
