package host

import (
	"fmt"
	"strings"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// PlannedStep is a step of a plan, with the commands that an operator would type for it.
type PlannedStep struct {
	Step     fleet.Step `json:"step"`
	Commands []string   `json:"commands"`
}

// PlannedSteps returns the steps of a plan on a host that come down to commands.
func PlannedSteps(p *fleet.Plan, h *inventory.Host, rev string) []PlannedStep {
	var steps []PlannedStep
	add := func(s fleet.Step, commands ...string) {
		if len(commands) > 0 {
			steps = append(steps, PlannedStep{s, commands})
		}
	}
	add(fleet.Pull, pullCommands(p, h, rev)...)
	if installable := attribute(p, h); installable != "" {
		add(fleet.Build, fmt.Sprintf("nix build '%s#%s' --no-update-lock-file", flakeRef(h), installable))
	}
	if p.Goal != fleet.GoalPull && p.Goal != fleet.GoalBuild {
		activate, confirm := activateCommands(p, h)
		add(fleet.Activate, activate...)
		var checks []string
		for _, check := range h.Health {
			checks = append(checks, check.String())
		}
		add(fleet.Verify, checks...)
		add(fleet.Confirm, confirm...)
	}
	return steps
}

// flakeRef returns the reference to a host's flake from the root of its checkout.
func flakeRef(h *inventory.Host) string {
	if h.FlakeDir == "" {
		return "."
	}
	return "./" + h.FlakeDir
}

func pullCommands(p *fleet.Plan, h *inventory.Host, rev string) []string {
	fetch := "git fetch origin " + p.Branch
	other := p.Pinned.Ref != "" && p.Pinned.Ref != "refs/heads/"+p.Branch
	if other {
		fetch += " " + strings.TrimPrefix(p.Pinned.Ref, "refs/heads/")
	}
	switch {
	case p.NoPull:
		return nil
	case h.Managed:
		return []string{fetch, "git checkout --force --detach " + rev, "git clean -ffdx"}
	case other && strings.HasPrefix(p.Pinned.Ref, "refs/heads/"):
		return []string{fetch, "git checkout --detach " + rev}
	}
	return []string{fetch, "git merge --ff-only " + rev}
}

// activateCommands returns the commands that activate the new configuration, and those that keep it
// once it is confirmed.
func activateCommands(p *fleet.Plan, h *inventory.Host) (activate, confirm []string) {
	const (
		setSystem = "sudo nix-env -p /nix/var/nix/profiles/system --set ./result"
		setHome   = "nix-env -p ~/.local/state/nix/profiles/home-manager --set ./result"
		switchTo  = "sudo ./result/bin/switch-to-configuration "
	)
	test, home := switchTo+"test", "./result/activate --driver-version 1"
	if name := h.Specialisation; name != "" && name != "none" {
		test = "sudo ./result/specialisation/" + name + "/bin/switch-to-configuration test"
	}
	if h.BackupExtension != "" {
		home = "HOME_MANAGER_BACKUP_EXT=" + h.BackupExtension + " " + home
	}
	switch {
	case h.SwitchCommand != "":
		return []string{h.SwitchCommand}, nil
	case h.Kind == inventory.Darwin:
		return []string{setSystem, "sudo ./result/activate"}, nil
	case h.Kind == inventory.Home:
		return []string{home}, []string{setHome}
	case p.Goal == fleet.GoalBoot:
		return []string{setSystem, switchTo + "boot"}, nil
	case p.Goal == fleet.GoalTest:
		return []string{test}, nil
	}
	return []string{test}, []string{setSystem, switchTo + "boot"}
}
