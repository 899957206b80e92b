package fleet

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/hint"
)

func (p *Plan) checkHosts() error {
	if len(p.Waves) == 0 {
		return fmt.Errorf("a run needs at least one host")
	}
	managed := p.names(func(h *inventory.Host) bool { return h.Managed && p.Remote == "" })
	if managed != "" {
		return hint.Errorf("set remote in [fleet]", "repo_mode = \"managed\" needs the fleet's remote: %s", managed)
	}
	return nil
}

func (p *Plan) checkGoal() error {
	switch p.Goal {
	case GoalSwitch, GoalPull, GoalRollback:
		return nil
	case GoalBuild:
	case GoalBoot, GoalTest:
		if others := p.names(func(h *inventory.Host) bool { return h.Kind != inventory.NixOS }); others != "" {
			return hint.Errorf("add \"and kind:nixos\" to the selector", "goal %q is only for nixos hosts, not for %s", p.Goal, others)
		}
	default:
		return hint.Errorf("use switch, boot, test, build or pull", "unknown goal %q", p.Goal)
	}
	if own := p.names(func(h *inventory.Host) bool { return h.SwitchCommand != "" }); own != "" {
		return hint.Errorf("leave them out, or use goal \"switch\"",
			"goal %q is not for hosts with a switch_command, which always switches: %s", p.Goal, own)
	}
	return nil
}

var (
	commitPattern = regexp.MustCompile(`^[0-9a-f]{40}$`)
	refPattern    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._/+@-]*$`)
)

// IsCommit reports whether s is a full commit hash: 40 lower-case hex digits.
func IsCommit(s string) bool { return commitPattern.MatchString(s) }

func (p *Plan) checkRevision() error {
	if commit := strings.ToLower(p.Rev); IsCommit(commit) {
		p.Rev = commit
	}
	switch {
	case p.NoPull && p.Rev != "":
		return hint.Errorf("leave out --rev or --no-pull", "a revision cannot be deployed without a pull")
	case p.NoPull:
		p.Pinned = Revision{}
		return nil
	case p.Pinned.Commit != "" && !IsCommit(p.Pinned.Commit):
		return fmt.Errorf("%q is not a commit", p.Pinned.Commit)
	case p.Rev == "":
		return nil
	case IsCommit(p.Rev):
		p.Pinned = Revision{Commit: p.Rev}
		return nil
	case !refPattern.MatchString(p.Rev) || strings.Contains(p.Rev, ".."):
		return fmt.Errorf("%q is neither a commit nor the name of a branch or tag", p.Rev)
	}
	return nil
}

// checkBuilders validates that hosts which others build for can be built.
func (p *Plan) checkBuilders() error {
	if p.BuildOn != "" && p.BuildOn != inventory.BuiltByHost && p.InventoryHost(p.BuildOn) == nil {
		var names []string
		for _, h := range p.Inventory {
			names = append(names, h.Name)
		}
		return hint.Errorf(cmp.Or(inventory.DidYouMean(p.BuildOn, names), `use "host" or the name of a host`),
			"--build-on names %q, which is not a host of the inventory", p.BuildOn)
	}
	alone := p.names(func(h *inventory.Host) bool {
		return p.BuildOn != "" && h.Builder != "" && p.builder(h) == "" && h.Repo == "" && !h.Managed
	})
	if alone != "" && p.Goal != GoalPull && p.Goal != GoalRollback {
		return hint.Errorf("set repo, or let another host build", "hosts without a checkout cannot build for themselves: %s", alone)
	}
	bare := p.names(func(h *inventory.Host) bool { return h.Builder != "" && h.Repo == "" && !h.Managed })
	switch {
	case bare != "" && p.Goal == GoalPull:
		return hint.Errorf("leave them out, or set repo", "hosts that others build for have no checkout to pull: %s", bare)
	case bare != "" && p.Test:
		return hint.Errorf("leave out --test, or set repo", "hosts that others build for have no checkout with tests: %s", bare)
	}
	served := p.names(func(h *inventory.Host) bool { return p.Builder(h) != "" })
	if served == "" {
		return nil
	}
	lost := p.names(func(h *inventory.Host) bool { return p.Builder(h) != "" && p.InventoryHost(p.Builder(h)) == nil })
	switch {
	case lost != "":
		return hint.Errorf("name a host of the inventory", "the builder is not in the inventory: %s", lost)
	case p.Remote == "":
		return hint.Errorf("set remote in [fleet]", "builders clone the fleet's remote, and it is not set: %s", served)
	case p.NoPull:
		return hint.Errorf("leave out --no-pull, or these hosts", "hosts that others build for have no checkout to deploy: %s", served)
	case p.Detach:
		return hint.Errorf("leave out --detach, or these hosts", "what others build is copied through this machine, so it cannot leave the run: %s", served)
	}
	return nil
}

// checkConfirm validates who confirms, or fills in the default.
func (p *Plan) checkConfirm() error {
	const longest = time.Hour
	if p.ConfirmTimeout == 0 {
		p.ConfirmTimeout = DefaultConfirmTimeout
	}
	activates := slices.Contains([]string{GoalSwitch, GoalTest, GoalRollback}, p.Goal)
	switch {
	case p.ConfirmTimeout < time.Second || p.ConfirmTimeout > longest:
		return hint.Errorf(fmt.Sprintf("use 1s to %v", longest), "invalid confirmation timeout %v", p.ConfirmTimeout)
	case p.Confirm == "" && !activates:
		p.Confirm = ConfirmNone
	case p.Confirm == "" && p.Detach:
		p.Confirm = ConfirmSelf
	case p.Confirm == "":
		p.Confirm = ConfirmOperator
	case !slices.Contains([]string{ConfirmOperator, ConfirmSelf, ConfirmNone}, p.Confirm):
		return hint.Errorf("use operator, self or none", "invalid confirmation by %q", p.Confirm)
	case p.Confirm != ConfirmNone && p.Goal == GoalBoot:
		return hint.Errorf("leave out --confirm",
			"nothing can be confirmed with goal %q: the new configuration does not run before the next reboot", p.Goal)
	case p.Confirm != ConfirmNone && !activates:
		return hint.Errorf("leave out --confirm", "there is nothing to confirm with goal %q: it activates nothing", p.Goal)
	case p.Confirm == ConfirmOperator && p.Detach:
		return hint.Errorf("leave out --detach, or use --confirm self so that the host decides",
			"the operator cannot confirm a detached run")
	}
	return nil
}

func (p *Plan) checkWaves() error {
	switch {
	case !slices.Contains([]string{OnFailureHalt, OnFailureContinue, OnFailureRollback}, p.OnFailure):
		return hint.Errorf("use halt, continue or rollback-wave", "invalid reaction to a failure %q", p.OnFailure)
	case p.OnFailure == OnFailureRollback && p.Goal != GoalSwitch && p.Goal != GoalBoot:
		return hint.Errorf("leave out --on-failure "+OnFailureRollback, "goal %q leaves no generation to roll back from", p.Goal)
	case p.Soak < 0, p.WaitOnline < 0:
		return fmt.Errorf("a wait cannot be negative")
	case p.BuildFirst && p.WaitOnline > 0:
		return hint.Errorf("leave out one of them", "--build-first waits for every host, but --wait-online lets the others continue")
	case p.BuildFirst && p.Goal != GoalSwitch && p.Goal != GoalBoot && p.Goal != GoalTest:
		return hint.Errorf("leave out --build-first", "goal %q has no activation that could wait for builds", p.Goal)
	case p.Test && p.Goal != GoalSwitch && p.Goal != GoalTest:
		return hint.Errorf("leave out --test", "with goal %q nothing new runs that could be tested", p.Goal)
	}
	return nil
}

func (p *Plan) checkDetach() error {
	switch {
	case !p.Detach:
		return nil
	case p.BuildFirst, p.WaitOnline > 0, p.Test:
		return hint.Errorf("leave out --detach, or --build-first, --wait-online and --test", "a detached run cannot wait for hosts")
	case len(p.Waves) == 1:
		return nil
	}
	var all []string
	for _, w := range p.Waves {
		all = append(all, WaveName(w.Number))
	}
	return hint.Errorf("select the hosts of one wave, or leave out --detach and --canary",
		"cannot detach from a run of several waves (%s): each waits for the previous one", strings.Join(all, ", "))
}
