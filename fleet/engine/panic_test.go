package engine

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

func TestPanicAffectsOnlyItsHost(t *testing.T) {
	for name, at := range map[string]int{"before the job": 0, "during the new login": 1} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fx := newFixture(t, "bad", "good")
				fx.hosts["bad"].onDial = func(n int) error {
					if n == at {
						panic("index out of range")
					}
					return nil
				}
				fx.run(fleet.Options{})
				fx.expect("good", fleet.Switched, "")
				fx.expect("bad", map[int]fleet.Outcome{0: fleet.Unknown, 1: fleet.Degraded}[at], "fault")
				if !strings.Contains(fx.result("bad").Reason, "bug in fleetctl: index out of range") {
					t.Errorf("%+v", fx.result("bad"))
				}
				if at == 0 && !strings.Contains(fx.lines("bad"), "panic_test.go") {
					t.Errorf("the log does not have the stack: %s", fx.lines("bad"))
				}
				if at == 0 {
					fx.hosts["bad"].onDial = nil
					fx.attach()
					fx.expect("bad", fleet.Skipped, "interrupted")
				}
			})
		})
	}
}

// faultyDialer panics.
type faultyDialer struct{}

func (faultyDialer) Dial(context.Context, *inventory.Host) (host.Conn, error) { panic("nil map") }

func TestStatusReportsPanic(t *testing.T) {
	web := &inventory.Host{Name: "web", Kind: inventory.NixOS, Repo: "~/cfg", Timeouts: inventory.DefaultTimeouts()}
	var found []host.Status
	c := &host.Client{Dialer: faultyDialer{}, Inventory: &inventory.Inventory{}}
	c.Status(t.Context(), []*inventory.Host{web}, func(s host.Status) { found = append(found, s) })
	if len(found) != 1 || found[0].Err == nil || !strings.Contains(found[0].Err.Error(), "bug in fleetctl: nil map") ||
		time.Since(found[0].Time) > time.Minute {
		t.Errorf("%+v", found)
	}
}
