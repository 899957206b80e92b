package fleet

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/fleet/inventory"
)

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
	case GoalSwitch, GoalPull, GoalRollback:
		return nil
	case GoalBuild:
	case GoalBoot, GoalTest:
		if others := p.names(func(h *inventory.Host) bool { return h.Kind != inventory.NixOS }); others != "" {
			return fmt.Errorf("goal %q is for nixos hosts alone, not for %s\n  hint: add \"and kind:nixos\" to the selector", p.Goal, others)
		}
	default:
		return fmt.Errorf("unknown goal %q\n  hint: switch, boot, test, build or pull", p.Goal)
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

// IsCommit reports whether s is a full commit hash: 40 lower-case hex digits.
func IsCommit(s string) bool { return commitPattern.MatchString(s) }

func (p *Plan) checkRevision() error {
	if commit := strings.ToLower(p.Rev); IsCommit(commit) {
		p.Rev = commit
	}
	switch {
	case p.Rev == "":
		return nil
	case p.NoPull:
		return fmt.Errorf("a revision and no pull exclude each other\n  hint: leave out --rev or --no-pull")
	case IsCommit(p.Rev):
		return nil
	case !refPattern.MatchString(p.Rev) || strings.Contains(p.Rev, ".."):
		return fmt.Errorf("%q is neither a commit nor the name of a branch or tag", p.Rev)
	case p.Remote == "":
		return fmt.Errorf("cannot look %q up: the fleet has no remote\n  hint: set remote in [fleet], or give the commit's 40 hex digits", p.Rev)
	}
	return nil
}

// checkConfirm settles who confirms, where that was left open.
func (p *Plan) checkConfirm() error {
	const longest = time.Hour
	if p.ConfirmTimeout == 0 {
		p.ConfirmTimeout = DefaultConfirmTimeout
	}
	activates := slices.Contains([]string{GoalSwitch, GoalTest, GoalRollback}, p.Goal)
	switch {
	case p.ConfirmTimeout < time.Second || p.ConfirmTimeout > longest:
		return fmt.Errorf("a host cannot wait %v for its confirmation\n  hint: from 1s to %v", p.ConfirmTimeout, longest)
	case p.Confirm == "" && !activates:
		p.Confirm = ConfirmNone
	case p.Confirm == "" && p.Detach:
		p.Confirm = ConfirmSelf
	case p.Confirm == "":
		p.Confirm = ConfirmOperator
	case !slices.Contains([]string{ConfirmOperator, ConfirmSelf, ConfirmNone}, p.Confirm):
		return fmt.Errorf("nobody is called %q\n  hint: operator, self or none", p.Confirm)
	case p.Confirm != ConfirmNone && p.Goal == GoalBoot:
		return fmt.Errorf("nothing can be confirmed with goal %q: the new configuration is first seen at the next boot\n  hint: leave out --confirm", p.Goal)
	case p.Confirm != ConfirmNone && !activates:
		return fmt.Errorf("there is nothing to confirm with goal %q: it activates nothing\n  hint: leave out --confirm", p.Goal)
	case p.Confirm == ConfirmOperator && p.Detach:
		return fmt.Errorf("the operator cannot confirm and be gone\n  hint: leave out --detach, or let the host decide: --confirm self")
	}
	return nil
}

func (p *Plan) checkWaves() error {
	switch {
	case !slices.Contains([]string{OnFailureHalt, OnFailureContinue, OnFailureRollback}, p.OnFailure):
		return fmt.Errorf("%q is nothing to do on a failure\n  hint: halt, continue or rollback-wave", p.OnFailure)
	case p.OnFailure == OnFailureRollback && p.Goal != GoalSwitch && p.Goal != GoalBoot:
		return fmt.Errorf("goal %q leaves no generation to roll back from\n  hint: leave out --on-failure %s", p.Goal, OnFailureRollback)
	case p.Soak < 0, p.WaitOnline < 0:
		return fmt.Errorf("nobody can wait a negative time")
	case p.BuildFirst && p.WaitOnline > 0:
		return fmt.Errorf("--build-first waits for every host, --wait-online lets the others go on\n  hint: leave one of them out")
	case p.BuildFirst && p.Goal != GoalSwitch && p.Goal != GoalBoot && p.Goal != GoalTest:
		return fmt.Errorf("goal %q has no activation that could wait for builds\n  hint: leave out --build-first", p.Goal)
	case p.Test && p.Goal != GoalSwitch && p.Goal != GoalTest:
		return fmt.Errorf("with goal %q nothing new runs that could be tested\n  hint: leave out --test", p.Goal)
	}
	return nil
}

func (p *Plan) checkDetach() error {
	switch {
	case !p.Detach:
		return nil
	case p.BuildFirst, p.WaitOnline > 0, p.Test:
		return fmt.Errorf("cannot detach where somebody must wait for hosts\n  hint: leave out --detach, or --build-first, --wait-online and --test")
	case len(p.Waves) == 1:
		return nil
	}
	var all []string
	for _, w := range p.Waves {
		all = append(all, WaveName(w.Number))
	}
	return fmt.Errorf("cannot detach from a run of several waves (%s): somebody must wait for one before the next begins\n  hint: select the hosts of one wave, or leave out --detach and --canary", strings.Join(all, ", "))
}
