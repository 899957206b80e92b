package host

import (
	"testing"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

func TestOptionTakesPrecedenceOverOnInhibited(t *testing.T) {
	for _, tt := range []struct {
		option string
		host   bool
		want   string
	}{{"", false, ""}, {"", true, "boot"}, {"fail", true, "fail"}, {"boot", false, "boot"}} {
		p := &fleet.Plan{Options: fleet.Options{OnInhibited: tt.option}}
		if got := NewJob(p, "r", &inventory.Host{Name: "web", BootInhibited: tt.host}).OnInhibited; got != tt.want {
			t.Errorf("%+v: %q", tt, got)
		}
	}
}
