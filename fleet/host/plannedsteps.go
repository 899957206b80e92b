package host

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// PlannedStep is a step of a plan, with the commands that an operator would type for it.
type PlannedStep struct {
	Step     fleet.Step `json:"step"`
	On       string     `json:"on,omitempty"` // the host that builds for this one
	Commands []string   `json:"commands"`
}

// PlannedSteps returns the steps of a plan on a host that come down to commands.
func PlannedSteps(p *fleet.Plan, h *inventory.Host, rev string) []PlannedStep {
	var steps []PlannedStep
	builder := p.Builder(h)
	add := func(s fleet.Step, commands ...string) {
		if len(commands) > 0 {
			on := ""
			if s == fleet.Pull || s == fleet.Build {
				on = builder
			}
			steps = append(steps, PlannedStep{s, on, commands})
		}
	}
	if builder == "" {
		add(fleet.Pull, pullCommands(p, h, rev)...)
	} else {
		add(fleet.Pull, "git fetch origin "+p.Branch, "git worktree add --detach source "+rev)
	}
	if installable := attribute(p, h); installable != "" {
		command := fmt.Sprintf("nix build '%s#%s' --no-update-lock-file", flakeRef(h), installable)
		for _, word := range h.NixArgs().With(p.Nix).CommandLine() {
			command += " " + shellWord(word)
		}
		add(fleet.Build, command)
	}
	if builder != "" {
		add(fleet.Copy, copyCommand(h, builder))
	}
	if p.Goal != fleet.GoalPull && p.Goal != fleet.GoalBuild {
		activate, confirm := activateCommands(p, h)
		switches := p.Goal != fleet.GoalBoot
		if switches {
			add(fleet.Before, h.BeforeSwitch...)
		}
		add(fleet.Activate, activate...)
		if switches {
			add(fleet.After, h.AfterSwitch...)
		}
		var checks []string
		for _, check := range h.Health {
			checks = append(checks, check.String())
		}
		add(fleet.Verify, checks...)
		add(fleet.Confirm, confirm...)
	}
	return steps
}

// copyCommand returns the command that copies what a builder has built. The host keeps paths that
// it has, or can substitute.
func copyCommand(h *inventory.Host, builder string) string {
	sudo := "sudo "
	switch {
	case h.Kind == inventory.Home:
		sudo = ""
	case h.Sudo == "doas", h.Sudo == "run0":
		sudo = h.Sudo + " "
	}
	return fmt.Sprintf("ssh %s 'nix-store --export $(nix-store -qR ./result)' | ssh %s %snix-store --import", builder, h.Name, sudo)
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
	sudo := "sudo"
	if h.Sudo == "doas" || h.Sudo == "run0" {
		sudo = h.Sudo
	}
	const setHome = "nix-env -p ~/.local/state/nix/profiles/home-manager --set ./result"
	setSystem := sudo + " nix-env -p /nix/var/nix/profiles/system --set ./result"
	switchTo := sudo + " ./result/bin/switch-to-configuration "
	test, home := switchTo+"test", "./result/activate --driver-version 1"
	if name := h.Specialisation; name != "" && name != "none" {
		test = sudo + " ./result/specialisation/" + name + "/bin/switch-to-configuration test"
	}
	if h.BackupExtension != "" {
		home = "HOME_MANAGER_BACKUP_EXT=" + h.BackupExtension + " " + home
	}
	switch {
	case h.SwitchCommand != "":
		return []string{h.SwitchCommand}, nil
	case h.Kind == inventory.Darwin:
		return []string{setSystem, sudo + " ./result/activate"}, nil
	case h.Kind == inventory.Home:
		return []string{home}, []string{setHome}
	case p.Goal == fleet.GoalBoot:
		return []string{setSystem, switchTo + "boot"}, nil
	case p.Goal == fleet.GoalTest:
		return []string{test}, nil
	}
	return []string{test}, []string{setSystem, switchTo + "boot"}
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// shellWord quotes a word for a shell, if it has to be.
func shellWord(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
