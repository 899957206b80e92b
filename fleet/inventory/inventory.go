package inventory

import "time"

// Kind is what is switched on a host, and so how.
type Kind string

const (
	NixOS  Kind = "nixos"  // a NixOS machine: system profile, switch-to-configuration
	Darwin Kind = "darwin" // a Mac managed by nix-darwin
	Home   Kind = "home"   // one user's home, by standalone home-manager
)

// Inventory is what hosts.toml says, with defaults applied: nothing in it is to be looked up a second time.
type Inventory struct {
	Path     string  // the file as it was opened, for messages
	Name     string  // the fleet's
	Remote   string  // the configuration repository's URL; "" asks the hosts' checkouts
	Branch   string  // default "main"
	Parallel int     // hosts worked on at once; default 16
	Hosts    []*Host // in the file's order
	Notify   Notify
}

// Notify is who is told of a run's end, on the operator's machine.
type Notify struct {
	Command   string        // sh; it gets the report on standard input
	URL       string        // it gets the report by HTTP POST
	OnFailure bool          // only of a run that did not end well
	Timeout   time.Duration // for each of the two
}

// NotifyTimeout is what each of them has, as a rule.
const NotifyTimeout = 10 * time.Second

// Host is one deploy target: a machine, or one user's home on a machine.
type Host struct {
	Name          string // unique; the ssh alias where Address is ""
	Kind          Kind
	Address       string // name or IP; "" leaves it to ssh_config(5)
	Port          int    // 0 leaves it to ssh_config(5)
	User          string // "" leaves it to ssh_config(5)
	Tags          []string
	Wave          int    // from 1; lower waves go first
	Color         string // "#rrggbb", or ""
	Attr          string // the flake attribute: NAME, or USER@NAME for a home
	Repo          string // the checkout, absolute or beginning with "~/"
	Managed       bool   // repo_mode = "managed": a clone of fleetctl's own instead of Repo
	SkipOffline   bool   // offline = "skip": not reachable is no failure
	SwitchCommand string // replaces build and activate; sh, run in the checkout as the login user
	Health        []Check
	Timeouts      Timeouts

	line, column int // where the file names it
}

// Timeouts bound every state a host can be in while a run works on it.
type Timeouts struct {
	Connect   time.Duration // from dialling to a login
	Reconnect time.Duration // from a lost connection to giving up: the host is then unknown
	Preflight time.Duration
	Pull      time.Duration
	Build     time.Duration
	Quiet     time.Duration // a build without output for so long is worth a warning
	Activate  time.Duration
	Verify    time.Duration
}

// DefaultTimeouts are those of a fleet that sets none.
func DefaultTimeouts() Timeouts {
	return Timeouts{
		Connect:   15 * time.Second,
		Reconnect: 5 * time.Minute,
		Preflight: 30 * time.Second,
		Pull:      5 * time.Minute,
		Build:     60 * time.Minute,
		Quiet:     5 * time.Minute,
		Activate:  15 * time.Minute,
		Verify:    2 * time.Minute,
	}
}

// Host finds a host by its name; nil where there is none.
func (inv *Inventory) Host(name string) *Host {
	for _, h := range inv.Hosts {
		if h.Name == name {
			return h
		}
	}
	return nil
}

// Finding is something wrong with a host, placed where the file names it.
func (inv *Inventory) Finding(h *Host, message, hint string) Finding {
	return Finding{File: inv.Path, Line: h.line, Column: h.column, Message: message, Hint: hint}
}
