package fleet

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

// The goals of a run.
const (
	GoalSwitch = "switch" // run the new configuration, now and after a reboot
	GoalBoot   = "boot"   // run it from the next boot on; nixos only
	GoalTest   = "test"   // run it now, and not after a reboot; nixos only
	GoalBuild  = "build"  // have it built
)

// Options are what an operator asks of a run.
type Options struct {
	Goal     string // "" is switch
	Rev      string // 40 hex digits, or a branch or tag of the inventory's remote; "" is the tip of the inventory's branch
	NoPull   bool   // leave every checkout where it is
	Parallel int    // hosts at once; 0 is the inventory's
	Detach   bool   // leave once every job has begun
}

// Plan is a run before it begins: hosts in waves, and what is wanted of them.
type Plan struct {
	Fleet    string
	Remote   string
	Branch   string
	Goal     string
	Rev      string // as given; the commit is pinned when the run begins
	NoPull   bool
	Parallel int
	Detach   bool
	Operator string // user@machine
	Waves    []Wave // ascending
}

// Wave is the hosts of a plan that go together.
type Wave struct {
	Number int
	Hosts  []*inventory.Host
}

// NewPlan puts hosts into waves, and says what stands against the options.
func NewPlan(inv *inventory.Inventory, hosts []*inventory.Host, o Options, operator string) (*Plan, error) {
	p := &Plan{
		Fleet: inv.Name, Remote: inv.Remote, Branch: inv.Branch,
		Goal: o.Goal, Rev: o.Rev, NoPull: o.NoPull, Parallel: o.Parallel, Detach: o.Detach, Operator: operator,
		Waves: waves(hosts),
	}
	if p.Goal == "" {
		p.Goal = GoalSwitch
	}
	if p.Parallel <= 0 {
		p.Parallel = inv.Parallel
	}
	for _, check := range []func() error{p.checkHosts, p.checkGoal, p.checkRevision, p.checkDetach} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func waves(hosts []*inventory.Host) []Wave {
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

func (p *Plan) checkHosts() error {
	if len(p.Waves) == 0 {
		return fmt.Errorf("a run needs at least one host")
	}
	managed := p.names(func(h *inventory.Host) bool { return h.Managed && p.Remote == "" })
	if managed != "" {
		return fmt.Errorf("repo_mode = \"managed\" needs the fleet's remote: %s\n  hint: set remote in [fleet]", managed)
	}
	return nil
}

func (p *Plan) checkGoal() error {
	switch p.Goal {
	case GoalSwitch:
		return nil
	case GoalBuild:
	case GoalBoot, GoalTest:
		if others := p.names(func(h *inventory.Host) bool { return h.Kind != inventory.NixOS }); others != "" {
			return fmt.Errorf("goal %q is for nixos hosts alone, not for %s\n  hint: add \"and kind:nixos\" to the selector", p.Goal, others)
		}
	default:
		return fmt.Errorf("unknown goal %q\n  hint: switch, boot, test or build", p.Goal)
	}
	if own := p.names(func(h *inventory.Host) bool { return h.SwitchCommand != "" }); own != "" {
		return fmt.Errorf("goal %q is not for hosts with a switch_command, which always switches: %s\n  hint: leave them out, or use goal \"switch\"", p.Goal, own)
	}
	return nil
}

var (
	commitPattern = regexp.MustCompile(`^[0-9a-f]{40}$`)
	refPattern    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._/+@-]*$`)
)

func (p *Plan) checkRevision() error {
	if commit := strings.ToLower(p.Rev); commitPattern.MatchString(commit) {
		p.Rev = commit
	}
	switch {
	case p.Rev == "":
		return nil
	case p.NoPull:
		return fmt.Errorf("a revision and no pull exclude each other\n  hint: leave out --rev or --no-pull")
	case commitPattern.MatchString(p.Rev):
		return nil
	case !refPattern.MatchString(p.Rev) || strings.Contains(p.Rev, ".."):
		return fmt.Errorf("%q is neither a commit nor the name of a branch or tag", p.Rev)
	case p.Remote == "":
		return fmt.Errorf("cannot look %q up: the fleet has no remote\n  hint: set remote in [fleet], or give the commit's 40 hex digits", p.Rev)
	}
	return nil
}

func (p *Plan) checkDetach() error {
	if !p.Detach || len(p.Waves) == 1 {
		return nil
	}
	var all []string
	for _, w := range p.Waves {
		all = append(all, fmt.Sprint(w.Number))
	}
	return fmt.Errorf("cannot detach from a run of several waves (%s): somebody must wait for one before the next begins\n  hint: select the hosts of one wave, or leave out --detach", strings.Join(all, ", "))
}

// names lists the plan's hosts of which f is true, "" where there is none.
func (p *Plan) names(f func(*inventory.Host) bool) string {
	var names []string
	for _, w := range p.Waves {
		for _, h := range w.Hosts {
			if f(h) {
				names = append(names, h.Name)
			}
		}
	}
	return strings.Join(names, ", ")
}

// start is the plan as run_started tells it.
func (p *Plan) start() *Start {
	s := &Start{Fleet: p.Fleet, Goal: p.Goal, Operator: p.Operator}
	for _, w := range p.Waves {
		for _, h := range w.Hosts {
			s.Hosts = append(s.Hosts, PlannedHost{Name: h.Name, Kind: string(h.Kind), Wave: h.Wave})
		}
	}
	return s
}

// jobID names a host's job of a run, on that host.
func jobID(run, host string) string { return run + "." + host }

// job is what a host is told.
func (p *Plan) job(run string, h *inventory.Host, rev string) remote.Job {
	commands, _ := splitHealth(h.Health)
	return remote.Job{
		ID: jobID(run, h.Name), Who: p.Operator, Kind: string(h.Kind), Attr: h.Attr,
		Repo: h.Repo, Managed: h.Managed, Remote: p.Remote, Branch: p.Branch, Rev: rev,
		Goal: p.Goal, SwitchCommand: h.SwitchCommand, Health: commands,
		Preflight: h.Timeouts.Preflight, Pull: h.Timeouts.Pull, Build: h.Timeouts.Build, Verify: h.Timeouts.Verify,
	}
}

// allowance is how long a host may be in a step before nothing is expected of it any more: what the job allows itself, and a
// grace for the job to say so. Between two steps there is the grace alone.
func allowance(t inventory.Timeouts, s Step) time.Duration {
	switch s {
	case Connect:
		return t.Connect + grace
	case Preflight:
		return t.Preflight + grace
	case Pull:
		return t.Pull + grace
	case Build:
		return t.Build + grace
	case Activate:
		return t.Activate + grace
	case Verify:
		return t.Verify + grace
	}
	return grace
}

const grace = 30 * time.Second
