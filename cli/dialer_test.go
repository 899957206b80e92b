package cli

import (
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet/inventory"
)

func TestTargetOverridesConnectTimeoutOnlyIfInventorySetsIt(t *testing.T) {
	h := &inventory.Host{Name: "web", Timeouts: inventory.DefaultTimeouts()}
	if got := target(h).Timeout; got != 0 {
		t.Errorf("the default of the inventory overrides ssh_config: %v", got)
	}
	h.Timeouts.ConnectSet = true
	if got := target(h).Timeout; got != 15*time.Second {
		t.Errorf("got %v", got)
	}
}
