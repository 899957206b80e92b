package host

import (
	"cmp"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

// splitHealth separates the health checks of a host: its own commands are the job's, all others the operator's side's.
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

// jobID names a host's job of a run, on that host.
func JobID(run, host string) string { return run + "." + host }

// job is what a host is told.
func Job(p *fleet.Plan, run string, h *inventory.Host, rev string) remote.Job {
	commands, _ := SplitHealth(h.Health)
	command := h.SwitchCommand
	if p.Goal == fleet.GoalRollback {
		command = "" // it would switch to what the checkout has
	}
	return remote.Job{
		ID: JobID(run, h.Name), Who: p.Operator, Kind: string(h.Kind), Attr: h.Attr,
		Repo: h.Repo, Managed: h.Managed, Remote: p.Remote, Branch: p.Branch, Rev: rev,
		Goal: p.Goal, SwitchCommand: command, Health: commands,
		To: cmp.Or(p.Generations[h.Name], p.To), Attended: !p.Detach, Confirm: p.Confirm, ConfirmTimeout: p.ConfirmTimeout, StealLock: p.StealLock,
		Pull: h.Timeouts.Pull, Build: h.Timeouts.Build, Verify: h.Timeouts.Verify,
	}
}
