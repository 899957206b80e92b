package inventory

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Check is a health check of a host: something that must hold after a switch.
type Check struct {
	What     string // a shell command that exits with 0, or tcp://HOST:PORT, http://... or https://...
	Operator bool   // from = "operator": tried from the machine that fleetctl runs on, not from the host
	Status   int    // what a web server must answer; 0 is anything below 400, at the end of redirections
}

// Command reports whether it is one for the shell.
func (c Check) Command() bool { return c.scheme() == "" }

// Web reports whether it asks a web server.
func (c Check) Web() bool { return c.scheme() == "http" || c.scheme() == "https" }

// scheme is "" for a command, if perhaps one with a URL in it.
func (c Check) scheme() string {
	scheme, _, isURL := strings.Cut(c.What, "://")
	if !isURL || strings.ContainsAny(scheme, " \t/='\"") {
		return ""
	}
	return scheme
}

// String is the check as a person reads it.
func (c Check) String() string {
	s := c.What
	if c.Status != 0 {
		s += fmt.Sprintf(" (%d)", c.Status)
	}
	if c.Operator {
		s += " from the operator's machine"
	}
	return s
}

// MarshalJSON writes it as the inventory would have it: a string where that says it all.
func (c Check) MarshalJSON() ([]byte, error) {
	if !c.Operator && c.Status == 0 {
		return json.Marshal(c.What)
	}
	full := struct {
		Check  string `json:"check"`
		From   string `json:"from,omitempty"`
		Status int    `json:"status,omitempty"`
	}{Check: c.What, Status: c.Status}
	if c.Operator {
		full.From = "operator"
	}
	return json.Marshal(full)
}
