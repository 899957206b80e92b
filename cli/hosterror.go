package cli

import (
	"strings"

	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/clean"
)

// offline reports whether nothing answered.
func offline(err error) bool { return host.ContactOf(err).Reach == health.Offline }

// withoutName strips a host's name from the start of an error, for output that begins with the name
// anyway.
func withoutName(text string, h *inventory.Host) string {
	return clean.Text(strings.TrimPrefix(text, h.Name+": "))
}
