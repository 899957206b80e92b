package host_test

import (
	"context"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/internal/demo"
	"github.com/markus-barta/nixfleet/internal/fleettest"
)

func TestGenerationsOfEveryKind(t *testing.T) {
	for _, kind := range []string{"nixos", "darwin", "home"} {
		t.Run(kind, func(t *testing.T) {
			f := fleettest.New(t, demo.Host{Name: "web", Kind: kind, User: "mba", Wave: 1})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			var revs []string
			for _, word := range []string{"slow-build 0", "slow-build 0 again"} {
				rev, _ := f.Deploy(ctx, func(fleet.Event) {}, word)
				revs = append(revs, rev)
			}
			all, err := f.Client.Generations(ctx, f.Inv.Hosts[0])
			if err != nil || len(all) < 2 {
				t.Fatalf("%+v, %v", all, err)
			}
			for i, g := range all {
				if i > 0 && g.Number >= all[i-1].Number || g.Current != (i == 0) || time.Since(g.Time) > time.Hour {
					t.Errorf("%d: %+v", i, g)
				}
				if i < 2 && g.Revision != revs[1-i] {
					t.Errorf("generation %d has revision %q, want %s", g.Number, g.Revision, revs[1-i])
				}
			}
			if kind == "nixos" && !all[len(all)-1].Booted {
				t.Errorf("the first generation is not the booted one: %+v", all)
			}
		})
	}
}
