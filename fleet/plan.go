package fleet

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// Goals of a run.
const (
	GoalSwitch   = "switch"   // activate now and at every boot
	GoalBoot     = "boot"     // activate at the next boot; nixos hosts only
	GoalTest     = "test"     // activate until the next reboot; nixos hosts only
	GoalBuild    = "build"    // build only
	GoalPull     = "pull"     // update the checkout only
	GoalRollback = "rollback" // activate an earlier generation
)

// Who confirms a configuration that was activated. A host on which none of them confirms rolls back
// automatically.
const (
	ConfirmOperator = "operator" // the operator, or the host if no operator is connected
	ConfirmSelf     = "self"     // the host, by checking what answers
	ConfirmNone     = "none"     // nothing needs to be confirmed
)

// What happens after a wave fails.
const (
	OnFailureHalt     = "halt"          // later waves do not start
	OnFailureContinue = "continue"      // later waves start nevertheless
	OnFailureRollback = "rollback-wave" // later waves do not start, and the failed one rolls back
)

// What to do if switch-to-configuration refuses to switch because of its inhibitors.
const (
	InhibitedFail = "fail" // nothing changes, and the host has failed
	InhibitedBoot = "boot" // the next boot starts the new configuration
)

// Options are what an operator asks of a run.
type Options struct {
	Goal string // "" means [GoalSwitch]
	// Rev is a commit (40 hex digits), or a branch or tag of the remote. "" means the tip of the
	// inventory's branch.
	Rev string
	// Pinned is the commit that Rev means. If it is not given, the operator's git is asked.
	Pinned      Revision
	To          int               // goal rollback: the generation; 0 means the previous one
	NoPull      bool              // leave every checkout at its commit
	Parallel    int               // hosts at once; 0 means the inventory's setting
	Detach      bool              // return once every job has started
	Nix         inventory.NixArgs // arguments for nix, after those of the inventory
	OnInhibited string            // "" means the hosts' own setting
	BuildOn     string            // who builds: as build in the inventory; "" means that key
	StealLock   bool              // stop the job that holds a host's lock, if it can be stopped

	// AllowRename lets a machine be deployed that calls itself by the name of another host of the
	// inventory.
	AllowRename bool

	// Confirm defaults to [ConfirmOperator], to [ConfirmSelf] with Detach, and to [ConfirmNone] if
	// the goal activates nothing.
	Confirm        string
	ConfirmTimeout time.Duration // 0 means [DefaultConfirmTimeout]

	Canary          Share         // hosts of the first wave to put into a wave before it
	Soak            time.Duration // pause between two waves
	MaxFailures     Share         // failures in the run after which no more hosts start
	MaxWaveFailures Share         // failures in a wave that do not fail it
	BuildFirst      bool          // no host activates before all have built
	OnFailure       string        // "" means [OnFailureHalt]
	Test            bool          // run repository tests on each host that succeeds
	WaitOnline      time.Duration // how long to wait for hosts that are offline
}

// DefaultConfirmTimeout is how long a host waits to be confirmed.
const DefaultConfirmTimeout = time.Minute

// Plan is a run before it starts: hosts in waves, and what to do with them.
type Plan struct {
	Fleet          string
	Remote         string
	Branch         string
	Dir            string // the directory of the inventory
	AllowedSigners string // of commits; "" requires no signature. See [inventory.Inventory]
	Operator       string // user@machine
	Options               // with defaults filled in
	Waves          []Wave // in ascending order
	Notify         []inventory.Notify
	Of             string // ID of the run whose failed wave this plan rolls back, or ""

	Inventory []*inventory.Host // all hosts, also those that the plan leaves out

	Generations map[string]int // goal rollback: generations of hosts that override To
	// goal rollback: specialisations of hosts that override those of the inventory
	Specialisations map[string]string
}

// Wave is a number of hosts that a run deploys together.
type Wave struct {
	Number int // the inventory's, or [CanaryWave]
	Hosts  []*inventory.Host
}

// CanaryWave is the number of the canary, which precedes all other waves.
const CanaryWave = 0

// NewPlan validates the options, fills in defaults, and groups the hosts into waves.
func NewPlan(inv *inventory.Inventory, hosts []*inventory.Host, o Options, operator string) (*Plan, error) {
	p := &Plan{
		Fleet: inv.Name, Remote: inv.Remote, Branch: inv.Branch, Dir: inv.Dir(), AllowedSigners: inv.AllowedSigners, Operator: operator,
		Options: o, Waves: GroupByWave(hosts), Inventory: inv.Hosts, Notify: []inventory.Notify{inv.Notify},
	}
	if p.Goal == "" {
		p.Goal = GoalSwitch
	}
	if p.Goal == GoalRollback {
		p.NoPull = true
	}
	if p.Parallel <= 0 {
		p.Parallel = inv.Parallel
	}
	if p.OnFailure == "" {
		p.OnFailure = OnFailureHalt
	}
	p.splitCanary()
	for _, check := range []func() error{p.checkHosts, p.checkGoal, p.checkRevision, p.checkBuilders, p.checkConfirm, p.checkWaves, p.checkDetach} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Builder returns the name of the host that builds for a host in the plan, or "" if that is the
// host itself, or if nothing is built.
func (p *Plan) Builder(h *inventory.Host) string {
	if p.Goal == GoalRollback {
		return ""
	}
	return p.builder(h)
}

// NeedsNoCheckout reports whether a host does without a checkout and git in the plan, because
// another one builds for it.
func (p *Plan) NeedsNoCheckout(h *inventory.Host) bool { return p.builder(h) != "" }

// builder returns the name of the host that builds for a host, if anything is built, or "".
func (p *Plan) builder(h *inventory.Host) string {
	switch {
	case p.Goal == GoalPull, h.SwitchCommand != "", p.BuildOn == inventory.BuiltByHost, p.BuildOn == h.Name:
		return ""
	case p.BuildOn != "":
		return p.BuildOn
	}
	return h.Builder
}

// InventoryHost returns the host of the inventory with that name, also one that the plan leaves
// out, or nil.
func (p *Plan) InventoryHost(name string) *inventory.Host {
	i := slices.IndexFunc(p.Inventory, func(h *inventory.Host) bool { return h.Name == name })
	if i < 0 {
		return nil
	}
	return p.Inventory[i]
}

// GroupByWave returns hosts in waves, in ascending order. Hosts of a wave keep their order.
func GroupByWave(hosts []*inventory.Host) []Wave {
	var all []Wave
	for _, h := range hosts {
		i, found := slices.BinarySearchFunc(all, h.Wave, func(w Wave, n int) int { return w.Number - n })
		if !found {
			all = slices.Insert(all, i, Wave{Number: h.Wave})
		}
		all[i].Hosts = append(all[i].Hosts, h)
	}
	return all
}

// splitCanary moves the first hosts of the first wave into a wave of their own: at least one,
// unless that would be all of them.
func (p *Plan) splitCanary() {
	if !p.Canary.Given() || len(p.Waves) == 0 {
		return
	}
	first := &p.Waves[0]
	n := max(1, p.Canary.Of(len(first.Hosts)))
	if n >= len(first.Hosts) {
		return
	}
	canary := Wave{Number: CanaryWave, Hosts: first.Hosts[:n]}
	first.Hosts = first.Hosts[n:]
	p.Waves = slices.Insert(p.Waves, 0, canary)
}

// names returns the names of the plan's hosts for which f is true, separated by commas.
func (p *Plan) names(f func(*inventory.Host) bool) string {
	var names []string
	for _, h := range p.Hosts() {
		if f(h) {
			names = append(names, h.Name)
		}
	}
	return strings.Join(names, ", ")
}

// Hosts returns the plan's hosts, wave by wave.
func (p *Plan) Hosts() []*inventory.Host { return HostsOf(p.Waves) }

// HostsOf returns the hosts of some waves, wave by wave.
func HostsOf(waves []Wave) []*inventory.Host {
	var all []*inventory.Host
	for _, wave := range waves {
		all = append(all, wave.Hosts...)
	}
	return all
}

// Start returns the plan in the form of a run_started event.
func (p *Plan) Start() *Start {
	s := &Start{
		Fleet: p.Fleet, Goal: p.Goal, Revision: p.Pinned.Commit, Named: p.Named(), Operator: p.Operator, Of: p.Of,
		Confirm: p.Confirm, ConfirmSeconds: p.ConfirmTimeout.Seconds(), BuildFirst: p.BuildFirst, OnFailure: p.OnFailure,
		MaxWaveFailures: p.MaxWaveFailures.String(), SoakSeconds: p.Soak.Seconds(), Test: p.Test,
	}
	for _, w := range p.Waves {
		for _, h := range w.Hosts {
			s.Hosts = append(s.Hosts, PlannedHost{Name: h.Name, Kind: string(h.Kind), Wave: w.Number, Builder: p.Builder(h)})
		}
	}
	if p.MaxFailures.Given() {
		s.MaxFailures = new(p.MaxFailures.Of(len(s.Hosts)))
	}
	return s
}

// WaveName returns "the canary" or "wave N".
func WaveName(number int) string {
	if number == CanaryWave {
		return "the canary"
	}
	return fmt.Sprintf("wave %d", number)
}
