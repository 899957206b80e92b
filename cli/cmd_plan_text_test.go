package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

// TestPlanSaysWhetherDeployWouldFail has a problem that ends a deploy, and one that the first
// deploy solves.
func TestPlanSaysWhetherDeployWouldFail(t *testing.T) {
	h := &inventory.Host{Name: "web"}
	for code, want := range map[fleet.Code]bool{fleet.CodeDisk: true, fleet.CodeNoClone: false} {
		f := host.Preview{Preview: remote.Preview{Code: string(code), Problem: "the reason"}}
		lines := previewText(time.Now(), &fleet.Plan{}, h, f)
		if len(lines) == 0 || lines[0].kind != planProblem || !strings.HasSuffix(lines[0].text, ": the reason") || strings.Contains(lines[0].text, "would fail") != want {
			t.Errorf("%s: %+v", code, lines)
		}
	}
}
