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
	return remote.Job{
		ID: JobID(run, h.Name), Who: p.Operator, Kind: string(h.Kind), Attr: h.Attr,
		Repo: h.Repo, Managed: h.Managed, Remote: p.Remote, FlakeDir: h.FlakeDir, Branch: p.Branch,
		Rev: p.Pinned.Commit, Ref: p.Named(), AllowedSigners: p.AllowedSigners,
		Goal: p.Goal, SwitchCommand: switchCommand, Health: commands,
		OnInhibited: onInhibited, Specialisation: cmp.Or(p.Specialisations[h.Name], h.Specialisation), BackupExtension: h.BackupExtension, To: cmp.Or(p.Generations[h.Name], p.To),
		Attended: !p.Detach, Confirm: p.Confirm, ConfirmTimeout: p.ConfirmTimeout, StealLock: p.StealLock,
		Pull: h.Timeouts.Pull, Build: h.Timeouts.Build, Verify: h.Timeouts.Verify,
	}
}
