package engine_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/change"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/demo"
	"github.com/markus-barta/nixfleet/internal/fleettest"
)

// TestResultHasWhatChanged deploys to a host of each kind, and then rolls its wave back.
func TestResultHasWhatChanged(t *testing.T) {
	t.Parallel()
	for kind, units := range map[string][]change.Units{
		"nixos": {
			{Verb: "stop", Units: []string{"nscd.service", "systemd-tmpfiles-resetup.service"}},
			{Verb: "start", Units: []string{"demo.service"}},
		},
		"darwin": {{Verb: "reload", Units: []string{"org.nixos.vpn-hub"}}},
		"home":   {{Verb: "restart", Units: []string{"vpn-hub.service"}}},
	} {
		t.Run(kind, func(t *testing.T) {
			f := fleettest.New(t, demo.Host{Name: "web", Kind: kind, User: "mba", Wave: 1})
			_, state := f.Deploy(t.Context(), func(fleet.Event) {}, "slow-build 0")
			want := &change.Set{
				Packages: []change.Package{{Name: "vpn-hub", Before: "2.0.4", After: "2.1.0", Word: change.Up, Size: "+61.2 KiB"}},
				Counts:   map[change.Word]int{change.Up: 1},
				Closure:  &change.Closure{Before: 3221225472, After: 3221288141, Difference: 62669},
				Units:    units,
			}
			if r := state.Host("web").Result; r.Outcome != fleet.Switched || !reflect.DeepEqual(r.Changes, want) {
				t.Errorf("%s: got\n%+v\nwant\n%+v", r.Outcome, r.Changes, want)
			}
			state = f.Run(fleet.Options{})
			if r := state.Host("web").Result; r.Outcome != fleet.Unchanged || r.Changes != nil {
				t.Errorf("%s: %+v", r.Outcome, r.Changes)
			}

			f.Inv.Host("web").Health = []inventory.Check{{What: "exit 1", Operator: true}}
			f.Inv.Host("web").Timeouts.Verify = time.Millisecond
			f.Options.OnFailure = fleet.OnFailureRollback
			_, state = f.Deploy(t.Context(), func(fleet.Event) {}, "slow-build 0 again")
			want.Undone = true
			if r := state.Host("web").Result; r.Outcome != fleet.RolledBack || !reflect.DeepEqual(r.Changes, want) {
				t.Errorf("%s: got\n%+v\nwant\n%+v", r.Outcome, r.Changes, want)
			}
		})
	}
}
