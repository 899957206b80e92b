package engine_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/internal/demo"
	"github.com/markus-barta/nixfleet/internal/fleettest"
)

// TestHooksDecideOverSwitch deploys to a machine whose before_switch fails, then one that succeeds
// around an activation that fails and is undone, and then one that all succeeds.
func TestHooksDecideOverSwitch(t *testing.T) {
	f := fleettest.New(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	h := f.Inv.Hosts[0]
	outcome := filepath.Join(f.Root("web"), "home/mba/outcome")
	for _, tt := range []struct {
		before  string
		words   []string
		outcome fleet.Outcome
		code    fleet.Code
		after   string
		steps   []fleet.Step // since the build
		changes bool
	}{
		{"exit 3", []string{"slow-build 0"}, fleet.Failed, "before-switch", "failed", []fleet.Step{fleet.Before, fleet.After}, false},
		{"true", []string{"fail-switch 2"}, fleet.RolledBack, "activation", "rolled-back", []fleet.Step{fleet.Before, fleet.Activate, fleet.After}, false},
		{"true", []string{"slow-build 0"}, fleet.Switched, "", "switched",
			[]fleet.Step{fleet.Before, fleet.Activate, fleet.After, fleet.Verify, fleet.Confirm}, true},
	} {
		h.BeforeSwitch, h.AfterSwitch = []string{tt.before}, []string{"echo $FLEETCTL_OUTCOME >~/outcome"}
		before := running(f.Root("web"), "nixos")
		var steps []fleet.Step
		_, state := f.Deploy(t.Context(), func(ev fleet.Event) {
			if ev.Type == fleet.StepStarted {
				steps = append(steps, ev.Step)
			}
		}, tt.words...)
		r := state.Host("web").Result
		if r.Outcome != tt.outcome || r.Code != tt.code {
			t.Errorf("%+v", r)
		}
		if at := slices.Index(steps, fleet.Build) + 1; !slices.Equal(steps[at:], tt.steps) {
			t.Errorf("the steps after the build are %q, want %q", steps[at:], tt.steps)
		}
		if got, err := os.ReadFile(outcome); err != nil || string(got) != tt.after+"\n" {
			t.Errorf("after_switch saw the outcome %q (%v), want %q", got, err, tt.after)
		}
		if changed := running(f.Root("web"), "nixos") != before; changed != tt.changes {
			t.Errorf("changed: %v, want %v", changed, tt.changes)
		}
	}
}
