package agent

import (
	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/internal/clean"
)

// tidy cleans what an agent has said: whatever comes from a host is hostile until then.
func tidy(h *health.Health) {
	said := []*string{&h.Host, &h.Kind, &h.OS, &h.Nix, &h.Agent, &h.BootID, &h.NoUnits,
		&h.System.Deployed, &h.System.Booted, &h.System.Profile, &h.System.Revision}
	for i := range h.FailedUnits {
		said = append(said, &h.FailedUnits[i])
	}
	if c := h.Checkout; c != nil {
		said = append(said, &c.Revision, &c.Branch, &c.Subject, &c.Lock)
	}
	if j := h.Job; j != nil {
		said = append(said, &j.ID, &j.Who, &j.Step)
	}
	for _, s := range said {
		*s = word(*s)
	}
}

func word(s string) string { return clean.Line([]byte(s)) }
