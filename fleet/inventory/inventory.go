package inventory

import (
	"path/filepath"
	"time"
)

// A Kind is the kind of configuration that a deploy activates on a host.
type Kind string

// The kinds of hosts.
const (
	NixOS  Kind = "nixos"  // a NixOS machine: system profile, switch-to-configuration
	Darwin Kind = "darwin" // a Mac managed by nix-darwin
	Home   Kind = "home"   // one user's home, managed by standalone home-manager
)

// kinds lists all kinds as they are spelled in hosts.toml.
func kinds() []string { return []string{string(NixOS), string(Darwin), string(Home)} }

// Connect is how a host is worked on.
type Connect string

// The ways to work on a host.
const (
	ConnectAuto  Connect = "auto"  // without SSH if the host is the operator's machine
	ConnectSSH   Connect = "ssh"   // over SSH
	ConnectLocal Connect = "local" // without SSH, on the operator's machine
)

// An Inventory is the content of hosts.toml with defaults applied.
type Inventory struct {
	Path     string  // the path the file was read from, for messages
	Name     string  // the name of the fleet
	Remote   string  // URL of the repository; "" means the remotes of the hosts' checkouts
	Branch   string  // default "main"
	Parallel int     // hosts deployed at once; default 16
	Hosts    []*Host // in file order
	Notify   Notify

	RequireSigned      bool    // commits need a good signature
	AllowedSignersFile string  // as the file names it
	signersAt          Finding // where it does
	// AllowedSigners is the content of that file, as ssh-keygen(1) describes it. It is "" unless
	// RequireSigned is set.
	AllowedSigners string
}

// Dir returns the directory of the file, or "" if it has no path. A link to the file is followed.
func (inv *Inventory) Dir() string {
	if inv.Path == "" {
		return ""
	}
	if real, err := filepath.EvalSymlinks(inv.Path); err == nil {
		return filepath.Dir(real)
	}
	return filepath.Dir(inv.Path)
}

// Notify configures the notifications at the end of a run. The operator's machine sends them.
type Notify struct {
	Command   string        // sh script that gets the report on standard input
	URL       string        // gets the report by HTTP POST
	OnFailure bool          // only if the run did not succeed
	Timeout   time.Duration // for each of the two
}

// NotifyTimeout is the default of [Notify.Timeout].
const NotifyTimeout = 10 * time.Second

// A Host is one deploy target: a machine, or one user's home on a machine.
type Host struct {
	Name        string // unique; also the ssh alias if Address is ""
	Kind        Kind
	Address     string   // host name or IP address; "" means that of ssh_config(5)
	Addresses   []string // all addresses, if there are several; Address is the first
	Connect     Connect
	Port        int    // 0 means that of ssh_config(5)
	User        string // "" means that of ssh_config(5)
	Tags        []string
	Wave        int    // 1 or more; lower waves are deployed first
	Color       string // "#rrggbb", or ""
	Attr        string // flake attribute: NAME, or USER@NAME for a home
	Repo        string // path of the checkout, absolute or starting with "~/"
	FlakeDir    string // directory of the flake in the checkout; "" is its root
	Builder     string // the host that builds the configuration; "" means the host itself
	Builds      int    // builds for other hosts at once; 0 means that its memory decides
	Managed     bool   // repo_mode = "managed": use a clone of fleetctl's own, not Repo
	SkipOffline bool   // offline = "skip": an unreachable host is not a failure
	// of a home: what is appended to the name of a file that is in the way; "" leaves it there
	BackupExtension string
	// on_inhibited = "boot": prepare the next boot if the switch is inhibited
	BootInhibited bool
	// of a NixOS system: the one to activate, "none", or "" for the one that runs
	Specialisation string
	SwitchCommand  string // sh script that replaces build and activate; runs in Repo
	Health         []Check
	BeforeSwitch   []string    // sh scripts of the host; if one fails, nothing is switched
	AfterSwitch    []string    // sh scripts of the host
	Sudo           string      // what makes the login user root: auto, sudo, doas or run0
	NixOptions     []NixOption // settings of nix.conf for evaluations and builds
	BuildArgs      []string    // other arguments for them; [Host.NixArgs] has both
	Timeouts       Timeouts
	MaxLog         int64 // bytes of a job's log that are recorded and shown

	// Local means that the host is worked on without SSH. Parse leaves it unset, because it depends
	// on the machine that fleetctl runs on.
	Local bool

	line, column int // where the file names the host
}

// Timeouts limit how long a run may spend in each step of a host.
type Timeouts struct {
	Connect   time.Duration // from dialing to login
	Reconnect time.Duration // from a lost connection until the outcome is unknown
	Preflight time.Duration
	Pull      time.Duration
	Build     time.Duration
	Quiet     time.Duration // a build without output for this long causes a warning
	Activate  time.Duration
	Verify    time.Duration
	AllTests  time.Duration // of the repository, on a host
	Hooks     time.Duration // for all BeforeSwitch commands, and for all AfterSwitch commands
	Test      time.Duration // of each repository test
	Answer    time.Duration // of a question that needs no step, such as for the host's health
	Grace     time.Duration // for reporting that a limit of the host's own has passed

	// ConnectSet reports whether the inventory sets Connect. If it does not, ConnectTimeout in
	// ssh_config(5) takes precedence over it.
	ConnectSet bool
}

// DefaultTimeouts returns the timeouts of a fleet that sets none.
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
		AllTests:  15 * time.Minute,
		Hooks:     5 * time.Minute,
		Test:      5 * time.Minute,
		Answer:    20 * time.Second,
		Grace:     30 * time.Second,
	}
}

// DefaultMaxLog is the default of [Host.MaxLog].
const DefaultMaxLog = 32 << 20

// Host returns the host with the given name, or nil.
func (inv *Inventory) Host(name string) *Host {
	for _, h := range inv.Hosts {
		if h.Name == name {
			return h
		}
	}
	return nil
}

// Finding returns a finding about h, at the line and column where the file names it.
func (inv *Inventory) Finding(h *Host, message, hint string) Finding {
	return Finding{File: inv.Path, Line: h.line, Column: h.column, Message: message, Hint: hint}
}
