package engine_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/demo"
	"github.com/markus-barta/nixfleet/internal/fleettest"
	"github.com/markus-barta/nixfleet/internal/testrounds"
)

func TestInhibitedSwitchIsLeftToNextBoot(t *testing.T) {
	for name, tt := range testrounds.Some(map[string]struct {
		words   []string
		options fleet.Options
		outcome fleet.Outcome
		code    fleet.Code
		reason  string
		set     bool // the profile is the new system
	}{
		"by the inventory": {words: []string{"fail-switch 1"},
			outcome: fleet.RebootNeeded, code: "reboot", reason: "the switch was inhibited", set: true},
		"unless the option says no": {words: []string{"fail-switch 1"}, options: fleet.Options{OnInhibited: "fail"},
			outcome: fleet.Failed, code: "inhibited", reason: `"switchInhibitors"`},
		"unless another check fails": {words: []string{"fail-check raid"},
			outcome: fleet.Failed, code: "inhibited", reason: `"raid"`},
		"unless it cannot be booted": {words: []string{"fail-switch 1", "fail-boot"},
			outcome: fleet.Failed, code: "not-default", reason: "could not be made"},
	}, 2) {
		t.Run(name, func(t *testing.T) {
			f := fleettest.New(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
			f.Inv.Host("web").BootInhibited = true
			before := running(f.Root("web"), "nixos")
			f.Options = tt.options
			_, state := f.Deploy(t.Context(), func(fleet.Event) {}, tt.words...)
			if r := state.Host("web").Result; r.Outcome != tt.outcome || r.Code != tt.code || !strings.Contains(r.Reason, tt.reason) {
				t.Errorf("%+v, want %s, %s, %q", r, tt.outcome, tt.code, tt.reason)
			}
			after := running(f.Root("web"), "nixos")
			if after[0] != before[0] || (after[1] != before[1]) != tt.set {
				t.Errorf("after: %q, before: %q", after, before)
			}
			if got := status(t, f, "web").System; got.BootPending != tt.set {
				t.Errorf("status: %+v", got)
			}
		})
	}
}

func TestDeployKeepsRunningSpecialisation(t *testing.T) {
	f := fleettest.New(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	root := f.Root("web")
	quiet := func(fleet.Event) {}
	first, _ := f.Deploy(t.Context(), quiet, "specialisation gaming", "slow-build 0")
	special := filepath.Join(root, "nix/var/nix/profiles/system/specialisation/gaming")
	if out, err := exec.Command(special+"/bin/switch-to-configuration", "test").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	expect := func(when, revision, name string, generation int) {
		t.Helper()
		got := status(t, f, "web").System
		if got.Revision != revision || got.Specialisation != name || got.Generation != generation || got.BootPending {
			t.Errorf("%s: %+v", when, got)
		}
		if want := strings.Contains(got.Deployed, "-gaming-"); want != (name != "") {
			t.Errorf("%s: %+v", when, got)
		}
	}
	expect("switched by hand", first, "gaming", 2)

	rev, state := f.Deploy(t.Context(), quiet, "specialisation gaming")
	if got := state.Host("web").PreviousSpecialisation(); got != "gaming" {
		t.Errorf("before: %q", got)
	}
	if r := state.Host("web").Result; r.Outcome != fleet.Switched || r.Generation != 3 {
		t.Errorf("a new commit: %+v", r)
	}
	expect("a new commit", rev, "gaming", 3)

	f.Options.Rev = rev
	if state = f.Run(f.Options); state.Host("web").Result.Outcome != fleet.Unchanged {
		t.Errorf("the same commit: %+v", state.Host("web").Result)
	}

	f.Inv.Host("web").Specialisation = "none"
	if state = f.Run(f.Options); state.Host("web").Result.Outcome != fleet.Switched {
		t.Errorf("none: %+v", state.Host("web").Result)
	}
	expect("none", rev, "", 3)

	f.Inv.Host("web").Specialisation = "gaming"
	if state = f.Run(f.Options); state.Host("web").Result.Outcome != fleet.Switched {
		t.Errorf("gaming: %+v", state.Host("web").Result)
	}
	expect("gaming", rev, "gaming", 3)

	f.Inv.Host("web").Specialisation = "office"
	state = f.Run(f.Options)
	if r := state.Host("web").Result; r.Outcome != fleet.Failed || r.Code != "no-specialisation" || !strings.Contains(r.Reason, `"office"`) {
		t.Errorf("unknown: %+v", r)
	}
	expect("unknown", rev, "gaming", 3)

	f.Inv.Host("web").Specialisation, f.Options.Rev = "", ""
	var warned bool
	last, state := f.Deploy(t.Context(), func(ev fleet.Event) {
		warned = warned || ev.Type == fleet.LogLine && ev.Stream == fleet.StreamWarn && strings.Contains(ev.Line, `specialisation "gaming"`)
	}, "slow-build 0")
	if r := state.Host("web").Result; r.Outcome != fleet.Switched || !warned {
		t.Errorf("a system without it: %+v, warned: %v", r, warned)
	}
	expect("a system without it", last, "", 4)

	state = f.Run(fleet.Options{Goal: fleet.GoalRollback})
	if r := state.Host("web").Result; r.Outcome != fleet.Switched {
		t.Errorf("rolled back: %+v", r)
	}
	expect("rolled back", rev, "", 3)
}

// TestFailedActivationReturnsToSpecialisation has a specialisation running whose successor fails.
func TestFailedActivationReturnsToSpecialisation(t *testing.T) {
	f := fleettest.New(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	f.Inv.Host("web").Specialisation = "gaming"
	quiet := func(fleet.Event) {}
	f.Deploy(t.Context(), quiet, "specialisation gaming")
	before := running(f.Root("web"), "nixos")
	if !strings.Contains(before[0], "-gaming-") || strings.Contains(before[1], "-gaming-") {
		t.Fatalf("runs %q", before)
	}
	_, state := f.Deploy(t.Context(), quiet, "specialisation gaming", "fail-switch 2")
	if r := state.Host("web").Result; r.Outcome != fleet.RolledBack {
		t.Errorf("%+v", r)
	}
	if after := running(f.Root("web"), "nixos"); after != before {
		t.Errorf("after: %q, before: %q", after, before)
	}
}

// TestSystemAndHomeOfOneMachineTakeTurns has two entries of the inventory that are one machine and
// have one login user, whose lock only one job can have.
func TestSystemAndHomeOfOneMachineTakeTurns(t *testing.T) {
	for name, known := range map[string]bool{"known from the addresses": true, "known only to the machine": false} {
		t.Run(name, func(t *testing.T) {
			f := fleettest.New(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
			system := f.Inv.Host("web")
			home := *system
			home.Name, home.Kind, home.Attr = "web-home", inventory.Home, "mba@web"
			if !known {
				system.Address, system.Port = "", 0 // ssh_config(5) has them
			}
			f.Inv.Hosts = append(f.Inv.Hosts, &home)
			rev, state := f.Deploy(t.Context(), func(fleet.Event) {})
			for _, h := range state.Hosts {
				if h.Result.Outcome != fleet.Switched || h.Result.After != rev {
					t.Errorf("%s: %+v", h.Name, h.Result)
				}
			}
		})
	}
}
