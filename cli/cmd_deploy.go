package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/engine"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

type deployOptions struct {
	runOptions
	pending bool
	failed  bool
	metrics string
}

func newDeploy(env *Env) *cobra.Command {
	var o deployOptions
	cmd := &cobra.Command{
		Use:   "deploy SELECTOR...",
		Short: "Have hosts pull their configuration and switch to it",
		Long: `Have hosts pull their configuration, build it and switch to it: all hosts of a wave at once, one
wave after another.

All hosts get the same commit: the tip of the inventory's branch when the run starts, as git on this
machine reports it, or --rev. If that git cannot read the remote, it shows what the hosts report, and
prompts for one of these commits; without a terminal, --rev is required. Each host checks that the
commit is on the branch of its own remote and no older than what it runs.

--rev deploys any branch, tag or commit of the remote, for example to try it on one host. The next
deploy without --rev returns to the inventory's branch.

Each host runs one job, which outlives the connection and this process. fleetctl attach shows a run
again, from any terminal of this machine.

If build in the inventory names another host, that one pulls and builds. What the host lacks is then
copied to it through this machine, before the switch.

After the switch, fleetctl confirms the new configuration over a new login. If no login succeeds
within --confirm-timeout, the host rolls back automatically. If fleetctl is gone, the host decides
on its own: it keeps the configuration if its SSH server and the repository still answer. --detach
leaves the decision to the host from the start. With --goal boot nothing is confirmed, since the
configuration does not run before the next reboot.

NixOS inhibits a switch if it would replace parts of the system that only a reboot can replace. The
host has then failed, and nothing was activated. With --on-inhibited boot, or on_inhibited in the
inventory, the next boot starts the new configuration. A host that runs a specialisation keeps it if
the new system has it; specialisation in the inventory chooses one.

A wave starts when the previous one has succeeded. --canary makes a wave of the first hosts.
--soak waits between two waves, then checks the hosts again: one that is no longer healthy is
degraded. With --test, a host also has to pass the repository's tests, in the last wave as well.
--max-wave-failures is the number of failures that a wave may have, except for the canary. If only
--max-failures is given, failures count for the run as a whole. If both are given, either limit
stops the run.

At a terminal, deploy prompts for confirmation unless there is --yes. Otherwise it starts at once.
fleetctl plan shows what it would do.

At the end, a summary shows the outcomes and what changed: packages, the size of the closure, and units.

The first ctrl-c stops starting hosts. The second exits immediately; jobs that have started
continue.

EXIT STATUS

0  every host is up to date
1  a host failed or was rolled back
2  the command line or the inventory is invalid
3  no host failed, but some could not be reached or their outcome is unknown
130  interrupted; jobs on hosts continue`,
		Example: `  fleetctl deploy hsb0 hsb1
  fleetctl deploy '@server and not csb0' --goal boot
  fleetctl deploy --all --rev v2026.11 --yes
  fleetctl deploy hsb1 --rev try-x
  fleetctl deploy --all --canary 1 --soak 10m --on-failure rollback-wave
  fleetctl deploy --owed --wait-online 8h
  fleetctl deploy --all --output json | jq 'select(.type == "host_finished")'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			inv, hosts, err := o.hosts(env, cmd, args)
			if err != nil || len(hosts) == 0 {
				return err
			}
			return o.withMetrics(env, func(observe func(fleet.Event)) error {
				return o.run(cmd.Context(), env, inv, hosts, observe)
			})
		},
	}
	groupFlags(cmd, "Selection", func(f *pflag.FlagSet) {
		o.selection.flag(f)
		f.BoolVar(&o.pending, "owed", false, "the hosts that their last deploy did not reach")
		f.BoolVar(&o.failed, "failed", false, "the hosts on which the last deploy failed, or that it did not start because of a failure")
	})
	groupFlags(cmd, "Revision", func(f *pflag.FlagSet) {
		f.Var((*revFlag)(&o.Rev), "rev", "deploy this branch, tag or commit (default: the tip of the inventory's branch)")
		f.BoolVar(&o.NoPull, "no-pull", false, "deploy what each host has checked out")
	})
	groupFlags(cmd, "Activation", func(f *pflag.FlagSet) {
		goalFlag(f, &o.Goal, "what to do with the configuration: switch to it, boot into it next, activate it until the next reboot, or only build it",
			fleet.GoalSwitch, fleet.GoalBoot, fleet.GoalTest, fleet.GoalBuild)
		o.inhibitedFlag(f)
		o.confirmFlags(f)
		f.BoolVar(&o.AllowRename, "rename", false, "deploy also to a machine that has the name of another host of the inventory, and may lose it")
		f.BoolVar(&o.Test, "test", false, "then run the repository's tests on each host, as fleetctl test does; a host that fails one is degraded")
	})
	groupFlags(cmd, "Waves", o.waveFlags)
	nixFlags(cmd, &o.Nix)
	buildOnFlag(cmd, env, &o.BuildOn)
	o.runFlags(cmd)
	groupFlags(cmd, "Output", func(f *pflag.FlagSet) {
		o.view.flags(f)
		pathVar(f, &o.metrics, "metrics", "FILE", "write Prometheus metrics of the run to this file")
	})
	cmd.ValidArgsFunction = completeSelector(env)
	_ = cmd.RegisterFlagCompletionFunc("rev", completeRevision(env)) // fails only without the flag
	return cmd
}

// goalFlag declares --goal, which accepts some of the goals. switch is the default.
func goalFlag(f *pflag.FlagSet, goal *string, usage string, goals ...string) {
	c := choiceVar(f, goal, "goal", fleet.GoalSwitch, usage, goals...)
	c.hints = map[string]string{
		fleet.GoalPull:     "use fleetctl pull",
		fleet.GoalRollback: "use fleetctl rollback",
	}
	c.about = map[string]string{
		fleet.GoalSwitch: "activate it now and at every boot",
		fleet.GoalBoot:   "activate it at the next boot",
		fleet.GoalTest:   "activate it until the next reboot",
		fleet.GoalBuild:  "only build it",
	}
}

// hosts returns the selected hosts. --owed and --failed may select none: then it has printed that.
func (o *deployOptions) hosts(env *Env, cmd *cobra.Command, args []string) (*inventory.Inventory, []*inventory.Host, error) {
	if !o.pending && !o.failed {
		return o.load(env, cmd, args)
	}
	if o.all || len(args) > 0 {
		return nil, nil, usage("leave out the selector and --all", "--owed and --failed cannot be combined with another selection")
	}
	inv, err := loadInventory(env, cmd)
	if err != nil {
		return nil, nil, err
	}
	names := make(map[string]bool)
	if o.pending {
		history, err := env.records().HostHistory(inv.Name)
		if err := env.warnOfDamage(err); err != nil {
			return nil, nil, err
		}
		for _, p := range history.Pending {
			names[p.Host] = true
		}
	}
	if o.failed {
		failed, err := env.records().Failed(inv.Name)
		if err := env.warnOfDamage(err); err != nil {
			return nil, nil, err
		}
		for _, name := range failed {
			names[name] = true
		}
	}
	var hosts []*inventory.Host
	for _, h := range inv.Hosts {
		if names[h.Name] {
			hosts = append(hosts, h)
		}
	}
	if len(hosts) == 0 {
		fmt.Fprintf(env.Err, "fleetctl: no host of %s needs a deploy\n", inv.Name)
	}
	return inv, hosts, nil
}

// withMetrics calls run and then writes the metrics of its events, whether it succeeded or not. If
// they cannot be written, it prints that; the run has not failed for it.
func (o *deployOptions) withMetrics(env *Env, run func(observe func(fleet.Event)) error) error {
	var state fleet.State
	err := run(state.Apply)
	if o.metrics == "" || state.Summary == nil {
		return err
	}
	if writeErr := writeFileAtomic(o.metrics, 0o644, state.Report().WriteMetrics); writeErr != nil {
		fmt.Fprintf(env.Err, "fleetctl: cannot write the metrics: %v\n", writeErr)
	}
	return err
}

// run prompts for confirmation, if there is a terminal, and carries the run out. It passes every
// event to observe.
func (o *runOptions) run(ctx context.Context, env *Env, inv *inventory.Inventory, hosts []*inventory.Host, observe func(fleet.Event)) error {
	plan, err := fleet.NewPlan(inv, hosts, o.Options, env.operator())
	if err != nil {
		return exitUsage(err)
	}
	prompts := env.InTTY && !o.yes
	if plan.Pinned, err = env.chooseRevision(ctx, inv, plan, prompts); err != nil {
		return err
	}
	if prompts {
		env.printPlan(ctx, inv, plan)
		if !env.confirm(runPrompt(plan, hosts)) {
			return errNothingStarted
		}
		pool := newPool(env)
		err := env.acceptHostKeys(ctx, pool, hosts)
		pool.Close()
		if err != nil {
			return err
		}
	}
	return o.follow(ctx, env, hosts, func(ctx context.Context, e *engine.Engine, sink func(fleet.Event)) (fleet.Summary, error) {
		return e.Run(ctx, plan, func(ev fleet.Event) {
			observe(ev)
			sink(ev)
		})
	})
}
