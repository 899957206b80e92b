// Package health holds what is known about a host between runs, and judges it.
//
// [Health] is the facts: the system that a host runs, the state of its checkout, its figures. They
// come from the agent's GET /v1/health, from the probe script of package remote on a host without
// an agent, or from both. `fleetctl schema health` describes their JSON.
//
// [Judge] turns the facts, the desired state, the result of the last run and what a run is doing
// now into one [Judgement]. The table, `status` and everything else that shows the state of a host
// render that judgement. No other package decides whether a host is up to date.
//
// The package connects to nothing and reads no clock.
package health

import "time"

// Health is one host at one moment. A figure that is not available is absent, never zero: pointers
// are nil, strings and lists are empty.
type Health struct {
	Time time.Time `json:"time"` // when this was taken, by the host's clock
	Host string    `json:"host"` // what the host calls itself
	Kind string    `json:"kind"` // nixos, darwin or home

	OS     string `json:"os,omitempty"`    // "NixOS 26.05", "macOS 26.1", ...
	Nix    string `json:"nix,omitempty"`   // Nix's version
	Agent  string `json:"agent,omitempty"` // the agent's version; "" if the probe answered
	BootID string `json:"boot_id,omitempty"`

	Uptime float64    `json:"uptime_seconds,omitempty"`
	Cores  int        `json:"cores,omitempty"`
	CPU    *float64   `json:"cpu_percent,omitempty"` // of all cores, over the last interval
	Load   [3]float64 `json:"load"`                  // 1, 5 and 15 minutes
	Memory *Amount    `json:"memory,omitempty"`
	Swap   *Amount    `json:"swap,omitempty"`
	Root   *Amount    `json:"disk_root,omitempty"`  // of /
	Store  *Amount    `json:"disk_store,omitempty"` // of /nix/store

	System      System   `json:"system"`
	FailedUnits []string `json:"failed_units,omitempty"`
	// why FailedUnits is not available
	NoUnits string `json:"failed_units_unknown,omitempty"`
	// nil from the agent, which cannot read it
	Checkout *Checkout `json:"checkout,omitempty"`
	Job      *Job      `json:"job,omitempty"` // what holds the host's lock

	// when a figure was taken, by its JSON name, if not at Time
	Taken map[string]time.Time `json:"taken,omitempty"`
}

// Amount is the size of a resource, in bytes.
type Amount struct {
	Total uint64 `json:"total"`
	Free  uint64 `json:"free"` // what is still available
}

// System is what a host runs and what it boots, as store paths.
type System struct {
	// what runs now: /run/current-system, or the home's generation
	Deployed string `json:"deployed,omitempty"`
	// the specialisation of a NixOS system that Deployed is, or ""
	Specialisation string     `json:"specialisation,omitempty"`
	Booted         string     `json:"booted,omitempty"`
	Profile        string     `json:"profile,omitempty"` // what the next boot starts
	Generation     int        `json:"generation,omitempty"`
	GenerationTime *time.Time `json:"generation_time,omitempty"`
	// the commit that Deployed was built from; "" if unknown
	Revision string `json:"revision,omitempty"`
	// kernel, initrd or modules differ between Booted and Deployed
	RebootNeeded bool `json:"reboot_needed"`
	// Profile is neither Deployed nor what Deployed is a specialisation of
	BootPending bool `json:"boot_pending"`
}

// Checkout is the state of the host's clone of the configuration repository. Nothing is fetched to
// determine it.
type Checkout struct {
	Revision string `json:"revision"`
	Branch   string `json:"branch,omitempty"` // "" if HEAD is detached
	Subject  string `json:"subject,omitempty"`
	Dirty    bool   `json:"dirty"`
	Ahead    int    `json:"ahead"` // commits that origin's branch, as last fetched, lacks
	// commits of origin's branch, as last fetched, that HEAD lacks
	Behind int    `json:"behind"`
	Lock   string `json:"lock,omitempty"` // a checksum of flake.lock
	// what --rev has brought it to, if that is not on the fleet's branch: a ref of the remote, or a
	// commit
	Trial string `json:"trial,omitempty"`
}

// Job is a job that is running on the host.
type Job struct {
	ID    string     `json:"id"`
	Who   string     `json:"who,omitempty"`
	Since *time.Time `json:"since,omitempty"`
	Step  string     `json:"step,omitempty"`
}
