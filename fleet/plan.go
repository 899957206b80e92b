package fleet

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/fleet/inventory"
)

func HostsOf(waves []Wave) []*inventory.Host {
	var all []*inventory.Host
	for _, wave := range waves {
		all = append(all, wave.Hosts...)
	}
	return all
}

// The goals of a run.
const (
	GoalSwitch   = "switch"   // run the new configuration, now and after a reboot
	GoalBoot     = "boot"     // run it from the next boot on; nixos only
	GoalTest     = "test"     // run it now, and not after a reboot; nixos only
	GoalBuild    = "build"    // have it built
	GoalPull     = "pull"     // have the checkout at it
	GoalRollback = "rollback" // run an earlier generation again
)

// Who may keep a configuration that was activated. Where nobody does, the host goes back to the one before, by itself.
const (
	ConfirmOperator = "operator" // whoever follows the run, over a new login; where nobody is there, the host itself
	ConfirmSelf     = "self"     // the host, by what answers
	ConfirmNone     = "none"     // it stays, whatever becomes of the host
)

// What the failure of a wave means for the hosts that it and the later ones have.
const (
	OnFailureHalt     = "halt"          // later waves are not begun
	OnFailureContinue = "continue"      // they are
	OnFailureRollback = "rollback-wave" // nor are they, and the wave's hosts that were switched are rolled back
)

// Options are what an operator asks of a run.
type Options struct {
	Goal      string // "" is switch
	Rev       string // 40 hex digits, or a branch or tag of the inventory's remote; "" is the tip of the inventory's branch
	To        int    // rollback: the generation; 0 is the one before
	NoPull    bool   // leave every checkout where it is
	Parallel  int    // hosts at once; 0 is the inventory's
	Detach    bool   // leave once every job has begun
	StealLock bool   // end the job that has the host's lock, where that can be ended

	Confirm        string        // "" is operator, or self with Detach, or none where the goal leaves nothing to confirm
	ConfirmTimeout time.Duration // 0 is [DefaultConfirmTimeout]

	Canary          Share         // of the first wave: a wave of its own, before it
	Soak            time.Duration // between two waves
	MaxFailures     Share         // of the run: how many are borne before no more hosts are begun
	MaxWaveFailures Share         // of each wave
	BuildFirst      bool          // no host activates before all have built
	OnFailure       string        // "" is halt
	Test            bool          // run the repository's tests on each host that did well: one that fails degrades it
	WaitOnline      time.Duration // how long hosts that are away are waited for
}

// DefaultConfirmTimeout is how long a host waits to hear that somebody can still log in.
const DefaultConfirmTimeout = time.Minute

// Plan is a run before it begins: hosts in waves, and what is wanted of them.
type Plan struct {
	Fleet    string
	Remote   string
	Branch   string
	Operator string // user@machine
	Options         // with nothing left open but Rev, which is pinned when the run begins
	Waves    []Wave // ascending
	Notify   []inventory.Notify
	Of       string // the run that it is a part of; "" where it is one of its own

	Generations map[string]int // rollback: of hosts for which it is not To
}

// Wave is the hosts of a plan that go together.
type Wave struct {
	Number int // the inventory's, or [CanaryWave]
	Hosts  []*inventory.Host
}

// CanaryWave is the number of the wave that goes before all others.
const CanaryWave = 0

// NewPlan puts hosts into waves, and says what stands against the options.
func NewPlan(inv *inventory.Inventory, hosts []*inventory.Host, o Options, operator string) (*Plan, error) {
	p := &Plan{Fleet: inv.Name, Remote: inv.Remote, Branch: inv.Branch, Operator: operator, Options: o, Waves: GroupByWave(hosts), Notify: []inventory.Notify{inv.Notify}}
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
	p.canary()
	for _, check := range []func() error{p.checkHosts, p.checkGoal, p.checkRevision, p.checkConfirm, p.checkWaves, p.checkDetach} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	return p, nil
}

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

// canary takes the first hosts of the first wave out for a wave of their own: one at least, and never all.
func (p *Plan) canary() {
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

// names lists the plan's hosts of which f is true, "" where there is none.
func (p *Plan) names(f func(*inventory.Host) bool) string {
	var names []string
	for _, h := range p.Hosts() {
		if f(h) {
			names = append(names, h.Name)
		}
	}
	return strings.Join(names, ", ")
}

// hosts are the plan's, in its order.
func (p *Plan) Hosts() []*inventory.Host { return HostsOf(p.Waves) }

// start is the plan as run_started tells it.
func (p *Plan) Start() *Start {
	s := &Start{
		Fleet: p.Fleet, Goal: p.Goal, Operator: p.Operator, Of: p.Of,
		Confirm: p.Confirm, ConfirmSeconds: p.ConfirmTimeout.Seconds(), BuildFirst: p.BuildFirst, OnFailure: p.OnFailure,
		MaxWaveFailures: p.MaxWaveFailures.String(), SoakSeconds: p.Soak.Seconds(), Test: p.Test,
	}
	for _, w := range p.Waves {
		for _, h := range w.Hosts {
			s.Hosts = append(s.Hosts, PlannedHost{Name: h.Name, Kind: string(h.Kind), Wave: w.Number})
		}
	}
	if p.MaxFailures.Given() {
		s.MaxFailures = new(p.MaxFailures.Of(len(s.Hosts)))
	}
	return s
}

// waveName is a wave's number as people say it.
func WaveName(number int) string {
	if number == CanaryWave {
		return "the canary"
	}
	return fmt.Sprintf("wave %d", number)
}
