package host

import (
	"cmp"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

// SplitHealth splits the health checks of a host into commands that its job runs and probes that
// the operator's side makes.
func SplitHealth(all []inventory.Check) (commands []string, probes []inventory.Check) {
	for _, check := range all {
		if check.Command() && !check.Operator {
			commands = append(commands, check.What)
		} else {
			probes = append(probes, check)
		}
	}
	return commands, probes
}

// JobID returns the ID of a host's job of a run.
func JobID(run, host string) string { return run + "." + host }

// NewJob returns a host's job of a run. The plan's commit is known.
func NewJob(p *fleet.Plan, run string, h *inventory.Host) remote.Job {
	commands, _ := SplitHealth(h.Health)
	switchCommand := h.SwitchCommand
	if p.Goal == fleet.GoalRollback {
		switchCommand = "" // it would activate the checkout
	}
	onInhibited := p.OnInhibited
	if onInhibited == "" && h.BootInhibited {
		onInhibited = fleet.InhibitedBoot
	}
	own, other := machineNames(p, h)
	return remote.Job{
		ID: JobID(run, h.Name), Who: p.Operator, Kind: string(h.Kind), Attr: h.Attr,
		Repo: h.Repo, Managed: h.Managed, Remote: p.Remote, FlakeDir: h.FlakeDir, Branch: p.Branch,
		Rev: p.Pinned.Commit, Ref: p.Named(), AllowedSigners: p.AllowedSigners,
		Goal: p.Goal, SwitchCommand: switchCommand, Health: commands,
		BeforeSwitch: h.BeforeSwitch, AfterSwitch: h.AfterSwitch, Nix: nixArgs(p, h), RootBy: h.Sudo,
		OnInhibited: onInhibited, Specialisation: cmp.Or(p.Specialisations[h.Name], h.Specialisation), BackupExtension: h.BackupExtension, To: cmp.Or(p.Generations[h.Name], p.To),
		OwnNames: own, OtherNames: other, Elsewhere: p.NeedsNoCheckout(h),
		Attended: !p.Detach, Confirm: p.Confirm, ConfirmTimeout: p.ConfirmTimeout, StealLock: p.StealLock,
		Pull: h.Timeouts.Pull, Build: h.Timeouts.Build, Verify: h.Timeouts.Verify, Hooks: h.Timeouts.Hooks,
	}
}

// BuildJobID returns the ID of the job of a run that builds for a host, on the host that does so.
func BuildJobID(run, host string) string { return run + "-build." + host }

// NewBuildJob returns the job that builds for a host of a run, on another host, its builder. runs
// is the commit that the host runs, and system is its system, if they are known.
func NewBuildJob(p *fleet.Plan, run string, h, builder *inventory.Host, runs, system string) remote.Job {
	return remote.Job{
		ID: BuildJobID(run, h.Name), Who: p.Operator, Kind: string(h.Kind), Attr: h.Attr,
		Managed: true, Remote: p.Remote, FlakeDir: h.FlakeDir, Branch: p.Branch,
		Rev: p.Pinned.Commit, Ref: p.Named(), AllowedSigners: p.AllowedSigners,
		Goal: fleet.GoalBuild, Nix: nixArgs(p, h), Serves: h.Name, Runs: runs, System: system, Builds: builder.Builds,
		Pull: h.Timeouts.Pull, Build: h.Timeouts.Build, Verify: h.Timeouts.Verify, Hooks: h.Timeouts.Hooks,
	}
}

// machineNames returns the names that the machine of a host may have, and those of the other
// machines of the inventory, which it must not have. There are none if the plan does not put
// another system on the machine. A machine has the name of its configuration, usually, or that of
// its entry.
func machineNames(p *fleet.Plan, h *inventory.Host) (own, other []string) {
	own = []string{h.Name, h.Attr}
	if p.AllowRename || h.Kind == inventory.Home || h.SwitchCommand != "" || p.Goal == fleet.GoalRollback {
		return own, nil
	}
	for _, o := range p.Inventory {
		if o.Kind != inventory.Home && o.Attr != h.Attr {
			other = append(other, o.Name, o.Attr)
		}
	}
	return own, other
}

// nixArgs returns the arguments for nix of a plan on a host.
func nixArgs(p *fleet.Plan, h *inventory.Host) remote.NixArgs {
	return remoteNixArgs(h.NixArgs().With(p.Nix))
}

func remoteNixArgs(args inventory.NixArgs) remote.NixArgs {
	all := remote.NixArgs{Words: args.Words}
	for _, o := range args.Options {
		all.Options = append(all.Options, o.Name+" "+o.Value)
	}
	return all
}
