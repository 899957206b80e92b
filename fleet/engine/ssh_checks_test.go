package engine_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/demo"
	"github.com/markus-barta/nixfleet/internal/fleettest"
)

func TestDeployRunsTestsOfNewRevision(t *testing.T) {
	f := fleettest.New(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	clone := filepath.Join(f.Home, "Code", "nixcfg")
	fleettest.Git(t, clone, "rm", "-q", "hosts/web")
	if err := os.MkdirAll(filepath.Join(clone, "hosts/web/tests"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(clone, "hosts/web/tests/dns.sh"), []byte("test -e /nosuch\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	fleettest.Git(t, clone, "add", "-A")
	fleettest.Git(t, clone, "commit", "-q", "-m", "web: a test")
	fleettest.Git(t, clone, "push", "-q", "origin", "main")
	state := f.Run(fleet.Options{Test: true, Rev: fleettest.Git(t, clone, "rev-parse", "HEAD")})
	if r := state.Host("web").Result; r == nil || r.Outcome != fleet.Degraded || r.Code != "tests" || r.Reason != "tests failed: dns.sh" {
		t.Errorf("%+v", r)
	}
}

func TestHealthCommandsAreRetriedAfterSwitch(t *testing.T) {
	f := fleettest.New(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	up := filepath.Join(t.TempDir(), "up")
	f.Inv.Host("web").Health = []inventory.Check{{What: "test -e " + up + " || { touch " + up + "; exit 1; }"}, {What: "exit 0"}}
	deploy := func() *fleet.Result {
		state := f.Run(fleet.Options{})
		return state.Host("web").Result
	}
	if r := deploy(); r == nil || r.Outcome != fleet.Switched {
		t.Errorf("after the switch: %+v", r)
	}
	if err := os.Remove(up); err != nil {
		t.Fatal(err)
	}
	if r := deploy(); r == nil || r.Outcome != fleet.Degraded || r.Code != "health" || !strings.Contains(r.Reason, "exited with 1") {
		t.Errorf("without a switch: %+v", r)
	}
}
