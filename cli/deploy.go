package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/engine"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

type deployOptions struct {
	runOptions
	owed    bool
	failed  bool
	metrics string
}

func newDeploy(env *Env) *cobra.Command {
	var o deployOptions
	cmd := &cobra.Command{
		Use:   "deploy SELECTOR...",
		Short: "Have hosts pull their configuration and switch to it",
		Long: `Have hosts pull their configuration, build it and switch to it, all at once, wave after wave.

Every host gets the same commit: that of the inventory's branch when the run begins, or that of --rev. On each host runs one
job, which outlives the connection and this process: fleetctl attach shows a run again, from any terminal of this machine.

What a host was switched to is confirmed over a new login. Where none works within --confirm-timeout, the host goes back to the
configuration from before, by itself. With nobody there it decides alone, by whether its SSH server and the repository still
answer; --detach leaves it to that from the start. With --goal boot nothing is confirmed: the next boot is the first to try
the configuration.

A wave begins when the one before has ended well. The canary is a wave before the first; --soak is a time between two, after
which the hosts are looked at once more: one that does not do well any more is degraded. With --test, a host has done well
only where the repository's tests for it succeed, too; that goes for the last wave as for any other. --max-wave-failures lets
some of each wave fail, but for the canary; --max-failures alone counts over the whole run instead. With both, either ends it.

The first ctrl-c stops starting hosts; the second leaves at once, and the jobs that have begun go on.

EXIT STATUS

0  every host is as wanted
1  a host failed, or was rolled back
2  the command line or the inventory is wrong
3  no host failed, some could not be reached, or how they fared is unknown
130  interrupted; jobs on hosts go on`,
		Example: `  fleetctl deploy hsb0 hsb1
  fleetctl deploy '@server and not csb0' --goal boot
  fleetctl deploy --all --rev v2026.11 --yes
  fleetctl deploy --all --canary 1 --soak 10m --on-failure rollback-wave
  fleetctl deploy --owed --wait-online 8h
  fleetctl deploy --all --output json | jq 'select(.type == "host_finished")'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if slices.Contains([]string{fleet.GoalPull, fleet.GoalRollback}, o.Goal) {
				return usage("fleetctl "+o.Goal+" does it", "%q is no goal of a deploy", o.Goal)
			}
			inv, hosts, err := o.hosts(env, cmd, args)
			if err != nil || len(hosts) == 0 {
				return err
			}
			return o.measured(env, func(seen func(fleet.Event)) error { return o.run(cmd.Context(), env, inv, hosts, seen) })
		},
	}
	o.runOptions.flags(cmd, env)
	o.confirmFlags(cmd)
	o.waveFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.Goal, "goal", fleet.GoalSwitch, "what to do with the configuration: `switch`, boot, test or build")
	f.Var((*rev)(&o.Rev), "rev", "the `commit`, branch or tag to deploy, instead of the inventory's branch")
	f.BoolVar(&o.NoPull, "no-pull", false, "leave every checkout where it is")
	f.BoolVar(&o.BuildFirst, "build-first", false, "let no host activate before all have built, or failed to")
	f.BoolVar(&o.Test, "test", false, "run the repository's tests on each host then, as fleetctl test does; a host on which one fails is degraded")
	f.BoolVar(&o.owed, "owed", false, "the hosts that their last deploy did not get to")
	f.BoolVar(&o.failed, "failed", false, "the hosts that the last deploy failed on, or did not begin because of that")
	f.StringVar(&o.metrics, "metrics", "", "write Prometheus metrics of the run to this `file`")
	return cmd
}

// hosts are those that the command line selects. There may be none where it asks for those that are owed or failed: then that was said.
func (o *deployOptions) hosts(env *Env, cmd *cobra.Command, args []string) (*inventory.Inventory, []*inventory.Host, error) {
	if !o.owed && !o.failed {
		return o.load(env, cmd, args)
	}
	if o.all || len(args) > 0 {
		return nil, nil, usage("leave the others out", "--owed and --failed select hosts by themselves")
	}
	inv, err := loadInventory(env, cmd)
	if err != nil {
		return nil, nil, err
	}
	names := make(map[string]bool)
	if o.owed {
		history, err := env.records().HostHistory(inv.Name)
		if err != nil {
			return nil, nil, err
		}
		for _, d := range history.Pending {
			names[d.Host] = true
		}
	}
	if o.failed {
		failed, err := env.records().Failed(inv.Name)
		if err != nil {
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
		fmt.Fprintf(env.Err, "fleetctl: no host of %s is left to deploy to\n", inv.Name)
	}
	return inv, hosts, nil
}

// measured writes the metrics of a run that has ended, however it did. That they cannot be written fails no run.
func (o *deployOptions) measured(env *Env, run func(seen func(fleet.Event)) error) error {
	var state fleet.State
	err := run(state.Apply)
	if o.metrics == "" || state.Summary == nil {
		return err
	}
	if failed := writeWhole(o.metrics, 0o644, state.Report().WriteMetrics); failed != nil {
		fmt.Fprintf(env.Err, "fleetctl: the metrics were not written: %v\n", failed)
	}
	return err
}

// run asks, where there is somebody to ask, and carries the run out. seen is given every event.
func (o *runOptions) run(ctx context.Context, env *Env, inv *inventory.Inventory, hosts []*inventory.Host, seen func(fleet.Event)) error {
	plan, err := fleet.NewPlan(inv, hosts, o.Options, env.operator())
	if err != nil {
		return exit(fleet.ExitUsage, err)
	}
	if env.InTTY && !o.yes {
		if o.Rev = env.resolve(ctx, plan); o.Rev != "" {
			// What was shown is what is deployed, even if somebody pushes while the question waits for its answer.
			if plan, err = fleet.NewPlan(inv, hosts, o.Options, env.operator()); err != nil {
				return exit(fleet.ExitUsage, err)
			}
		}
		if !env.confirm(question(plan, hosts)) {
			return exit(fleet.ExitInterrupted, fmt.Errorf("nothing was begun"))
		}
	}
	return o.follow(ctx, env, hosts, func(ctx context.Context, e *engine.Engine, sink func(fleet.Event)) (fleet.Summary, error) {
		return e.Run(ctx, plan, func(ev fleet.Event) {
			seen(ev)
			sink(ev)
		})
	})
}
