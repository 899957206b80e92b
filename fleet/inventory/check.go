package inventory

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/markus-barta/nixfleet/internal/clean"
)

// A Check is a health check of a host: a condition that must hold after a switch.
type Check struct {
	What     string // a shell command that exits with 0, or tcp://HOST:PORT, http://... or https://...
	Operator bool   // from = "operator": run on the operator's machine instead of the host
	Status   int    // HTTP status that the server must return; 0 means below 400, after redirects
}

// Command reports whether the check is a shell command.
func (c Check) Command() bool { return c.scheme() == "" }

// Web reports whether the check is an HTTP request.
func (c Check) Web() bool { return c.scheme() == "http" || c.scheme() == "https" }

// scheme returns the scheme of a URL, or "" for a command, even one that contains a URL.
func (c Check) scheme() string {
	scheme, _, isURL := strings.Cut(c.What, "://")
	if !isURL || strings.ContainsAny(scheme, " \t/='\"") {
		return ""
	}
	return scheme
}

// String returns the check in a form for display, without the secrets of its URLs.
func (c Check) String() string {
	s := clean.Secrets(c.What)
	if c.Status != 0 {
		s += fmt.Sprintf(" (%d)", c.Status)
	}
	if c.Operator {
		s += " from the operator's machine"
	}
	return s
}

// MarshalJSON encodes the check as in the inventory: as a string if What is all there is, otherwise
// as an object, without the secrets of URLs.
func (c Check) MarshalJSON() ([]byte, error) {
	if !c.Operator && c.Status == 0 {
		return json.Marshal(clean.Secrets(c.What))
	}
	full := struct {
		Check  string `json:"check"`
		From   string `json:"from,omitempty"`
		Status int    `json:"status,omitempty"`
	}{Check: clean.Secrets(c.What), Status: c.Status}
	if c.Operator {
		full.From = "operator"
	}
	return json.Marshal(full)
}
