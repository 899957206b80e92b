// Package health is what is known of a host between runs: which system it has, which it runs, what its checkout is at, how it fares.
//
// The same [Health] comes from three places: the agent's GET /v1/health, the probe script that package remote gives to a host
// without an agent, and the records of both. Its JSON is described by `fleetctl schema health`.
package health

import "time"

// Health is one host at one moment. A figure that could not be had is absent, never zero: pointers are nil, strings and lists empty.
type Health struct {
	Time time.Time `json:"time"` // the host's clock, when this was taken
	Host string    `json:"host"` // what the host calls itself
	Kind string    `json:"kind"` // nixos, darwin or home

	OS     string `json:"os,omitempty"`    // "NixOS 26.05", "macOS 26.1", ...
	Nix    string `json:"nix,omitempty"`   // Nix's version
	Agent  string `json:"agent,omitempty"` // the agent's version; "" where the probe answered
	BootID string `json:"boot_id,omitempty"`

	Uptime float64    `json:"uptime_seconds,omitempty"`
	Cores  int        `json:"cores,omitempty"`
	CPU    *float64   `json:"cpu_percent,omitempty"` // of all cores, over the last interval
	Load   [3]float64 `json:"load"`                  // 1, 5 and 15 minutes
	Memory *Amount    `json:"memory,omitempty"`
	Swap   *Amount    `json:"swap,omitempty"`
	Root   *Amount    `json:"disk_root,omitempty"`  // of /
	Store  *Amount    `json:"disk_store,omitempty"` // of /nix/store

	System      System    `json:"system"`
	FailedUnits []string  `json:"failed_units,omitempty"`
	NoUnits     string    `json:"failed_units_unknown,omitempty"` // why FailedUnits could not be had
	Checkout    *Checkout `json:"checkout,omitempty"`             // nil from the agent, which may not read it
	Job         *Job      `json:"job,omitempty"`                  // what holds the host's lock

	Taken map[string]time.Time `json:"taken,omitempty"` // when a figure was taken, by its JSON name, where not at Time
}

// Amount is in bytes.
type Amount struct {
	Total uint64 `json:"total"`
	Free  uint64 `json:"free"` // what can still be used
}

// System is what a host has and runs, as store paths.
type System struct {
	Deployed       string     `json:"deployed,omitempty"` // what runs now: /run/current-system, or the home's generation
	Booted         string     `json:"booted,omitempty"`
	Profile        string     `json:"profile,omitempty"` // what the next boot starts
	Generation     int        `json:"generation,omitempty"`
	GenerationTime *time.Time `json:"generation_time,omitempty"`
	Revision       string     `json:"revision,omitempty"` // that Deployed was built from, as far as it can be told
	RebootNeeded   bool       `json:"reboot_needed"`      // kernel, initrd or modules differ between Booted and Deployed
	BootPending    bool       `json:"boot_pending"`       // Profile is not Deployed
}

// Checkout is the host's copy of the configuration repository, as it stands: nothing was fetched.
type Checkout struct {
	Revision string `json:"revision"`
	Branch   string `json:"branch,omitempty"` // "" is no branch
	Subject  string `json:"subject,omitempty"`
	Dirty    bool   `json:"dirty"`
	Ahead    int    `json:"ahead"`          // commits that origin's branch, as last fetched, lacks
	Behind   int    `json:"behind"`         // and that it has more
	Lock     string `json:"lock,omitempty"` // a checksum of flake.lock
}

// Job is a job at work on the host.
type Job struct {
	ID    string     `json:"id"`
	Who   string     `json:"who,omitempty"`
	Since *time.Time `json:"since,omitempty"`
	Step  string     `json:"step,omitempty"`
}
