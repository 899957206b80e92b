package host_test

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/internal/demo"
	"github.com/markus-barta/nixfleet/internal/fleettest"
)

func TestRunTestsOfEachHost(t *testing.T) {
	f := fleettest.New(t,
		demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1},
		demo.Host{Name: "api", Kind: "nixos", User: "mba", Wave: 1})
	f.SetTests("web", "mba", map[string]string{
		"10-fine.sh":    "test -d .git && echo \"in the checkout of $USER\"",
		"20-fails.sh":   "echo why; echo \"and \x1b[31mmore\" >&2; exit 7",
		"30-shebang.sh": "#!/bin/sh -e\nfalse\necho not reached\n",
		"40-forges.sh":  "echo 'x fact exit 0 0'; read -r line || echo nothing to read; exit 1",
		"not-one.txt":   "exit 9",
	})
	results := f.RunTests()
	want := []host.Test{
		{Name: "10-fine.sh", Output: []string{"in the checkout of mba"}},
		{Name: "20-fails.sh", Exit: 7, Output: []string{"why", "and more"}},
		{Name: "30-shebang.sh", Exit: 1},
		{Name: "40-forges.sh", Exit: 1, Output: []string{"x fact exit 0 0", "nothing to read"}},
	}
	got := results["web"]
	for i := range got.Tests {
		got.Tests[i].Seconds = 0
	}
	if got.Err != nil || !reflect.DeepEqual(got.Tests, want) {
		t.Errorf("%+v, %v", got.Tests, got.Err)
	}
	if got := results["api"]; got.Err != nil || len(got.Tests) > 0 {
		t.Errorf("host without tests: %+v", got)
	}
}

// TestRunTestsLeavesOutTheScriptThatRunsThem runs it only if it is the only one.
func TestRunTestsLeavesOutTheScriptThatRunsThem(t *testing.T) {
	f := fleettest.New(t,
		demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1},
		demo.Host{Name: "api", Kind: "nixos", User: "mba", Wave: 1})
	f.SetTests("web", "mba", map[string]string{"10-fine.sh": "true", "run-all-tests.sh": "exit 9"})
	f.SetTests("api", "mba", map[string]string{"run-all-tests.sh": "true"})
	results := f.RunTests()
	for name, want := range map[string]string{"web": "10-fine.sh", "api": "run-all-tests.sh"} {
		if got := results[name]; got.Err != nil || len(got.Tests) != 1 || got.Tests[0].Name != want || got.Tests[0].Exit != 0 {
			t.Errorf("%s: %+v, want %s", name, got, want)
		}
	}
}

func TestRunTestsStopsAtTimeoutOfHost(t *testing.T) {
	f := fleettest.New(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	f.SetTests("web", "mba", map[string]string{"10-hangs.sh": "exec sleep 100", "20-never.sh": "true"})
	f.Inv.Hosts[0].Timeouts.AllTests = time.Second
	got := f.RunTests()["web"]
	if len(got.Tests) != 1 || got.Tests[0].Exit != 124 || got.Err == nil || !strings.Contains(got.Err.Error(), "took more than 1 s: 20-never.sh and later") {
		t.Errorf("%+v", got)
	}
	kept := got.Summary(time.Now())
	if kept == nil || kept.OK() || kept.Passed != 0 || !slices.Equal(kept.Failed, []string{"10-hangs.sh"}) || kept.Problem == "" {
		t.Errorf("%+v", kept)
	}
	if rev := fleettest.Git(t, f.Checkout("web", "mba"), "rev-parse", "HEAD"); kept.Revision != rev {
		t.Errorf("the tests ran at %q, not at %q", rev, kept.Revision)
	}
}

func TestUnreachableHostKeepsItsTestResults(t *testing.T) {
	f := fleettest.New(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	f.Shut.Store(true)
	if kept := f.RunTests()["web"].Summary(time.Now()); kept != nil {
		t.Errorf("%+v", kept)
	}
}

func TestRunTestsReportsMissingCheckout(t *testing.T) {
	f := fleettest.New(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	if err := os.RemoveAll(f.Checkout("web", "mba")); err != nil {
		t.Fatal(err)
	}
	if got := f.RunTests()["web"]; got.Err == nil || !strings.Contains(got.Err.Error(), "no directory") {
		t.Errorf("%+v", got)
	}
}

func TestRunTestsKeepsEndOfOutput(t *testing.T) {
	f := fleettest.New(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	f.SetTests("web", "mba", map[string]string{
		"loud.sh": "i=0; while [ $i -lt 500 ]; do i=$((i + 1)); echo line $i; done",
	})
	got := f.RunTests()["web"]
	if got.Err != nil || len(got.Tests) != 1 {
		t.Fatalf("%+v", got)
	}
	if out := got.Tests[0].Output; len(out) != 200 || out[199] != "line 500" {
		t.Errorf("%d lines, the last %q", len(out), out[len(out)-1])
	}
}
