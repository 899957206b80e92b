package fleet_test

import (
	"os"
	"strings"
	"testing"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/internal/demo"
)

func TestEveryKindOfHostListsItsGenerations(t *testing.T) {
	f := newRealFleet(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1}, demo.Host{Name: "mac", Kind: "darwin", User: "mba", Wave: 1}, demo.Host{Name: "desk", Kind: "home", User: "markus", Wave: 1})
	before := map[string]string{}
	for _, h := range f.inv.Hosts {
		before[h.Name] = f.health(h.Name).System.Revision
	}
	rev, _ := f.deploy(t.Context(), func(fleet.Event) {})
	for _, h := range f.inv.Hosts {
		all, err := fleet.Generations(t.Context(), f, h)
		if err != nil || len(all) != 2 {
			t.Fatalf("%s: %+v, %v", h.Name, all, err)
		}
		newest, oldest := all[0], all[1]
		if newest.Number != 2 || newest.Revision != rev || !newest.Current || newest.Booted || newest.Time == nil || newest.Path == "" {
			t.Errorf("%s: the newest is %+v", h.Name, newest)
		}
		if oldest.Number != 1 || oldest.Revision != before[h.Name] || oldest.Current || oldest.Booted != (h.Name == "web") {
			t.Errorf("%s: the oldest is %+v", h.Name, oldest)
		}
		if to := health.Before(all); to == nil || to.Number != 1 {
			t.Errorf("%s: a rollback goes back to %+v", h.Name, to)
		}
	}
}

func TestAHostThatWasNeverSwitchedHasNoGenerations(t *testing.T) {
	f := newRealFleet(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	if err := os.RemoveAll(f.Root("web") + "/nix/var/nix/profiles"); err != nil {
		t.Fatal(err)
	}
	all, err := fleet.Generations(t.Context(), f, f.inv.Hosts[0])
	if err != nil || len(all) > 0 || health.Before(all) != nil {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestAHostThatIsAwayHasNoListOfGenerations(t *testing.T) {
	f := newRealFleet(t, demo.Host{Name: "web", Kind: "nixos", User: "mba", Wave: 1})
	f.shut.Store(true)
	if all, err := fleet.Generations(t.Context(), f, f.inv.Hosts[0]); err == nil || !strings.Contains(err.Error(), "no route") {
		t.Errorf("%+v, %v", all, err)
	}
}
