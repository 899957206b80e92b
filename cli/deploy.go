package cli

import (
	"bufio"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/tui"
)

type deployOptions struct {
	selection
	view
	fleet.Options
	yes bool
}

func newDeploy(env *Env) *cobra.Command {
	var o deployOptions
	cmd := &cobra.Command{
		Use:   "deploy SELECTOR...",
		Short: "Have hosts pull their configuration and switch to it",
		Long: `Have hosts pull their configuration, build it and switch to it, all at once, wave after wave.

Every host gets the same commit: that of the inventory's branch when the run begins, or that of --rev. On each host runs one
job, which outlives the connection and this process: fleetctl attach shows a run again, from any terminal of this machine.

The first ctrl-c stops starting hosts; the second leaves at once, and the jobs that have begun go on.

EXIT STATUS

0  every host is as wanted
1  a host failed
2  the command line or the inventory is wrong
3  no host failed, some could not be reached, or how they fared is unknown
130  interrupted; jobs on hosts go on`,
		Example: `  fleetctl deploy hsb0 hsb1
  fleetctl deploy '@server and not csb0' --goal boot
  fleetctl deploy --all --rev v2026.11 --yes
  fleetctl deploy --all --output json | jq 'select(.type == "host_finished")'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			inv, hosts, err := o.load(env, cmd, args)
			if err != nil {
				return err
			}
			return runDeploy(cmd.Context(), env, o, inv, hosts)
		},
	}
	o.selection.flags(cmd, env)
	o.view.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.Goal, "goal", fleet.GoalSwitch, "what to do with the configuration: `switch`, boot, test or build")
	f.StringVar(&o.Rev, "rev", "", "the `commit`, branch or tag to deploy, instead of the inventory's branch")
	f.BoolVar(&o.NoPull, "no-pull", false, "leave every checkout where it is")
	f.IntVar(&o.Parallel, "parallel", 0, "hosts at once; the inventory's `number` by default")
	f.BoolVar(&o.Detach, "detach", false, "leave when every job has begun")
	f.BoolVar(&o.yes, "yes", false, "do not ask")
	return cmd
}

func runDeploy(ctx context.Context, env *Env, o deployOptions, inv *inventory.Inventory, hosts []*inventory.Host) error {
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
			return exit(fleet.ExitInterrupted, fmt.Errorf("not deployed"))
		}
	}
	return o.follow(ctx, env, hosts, func(ctx context.Context, e *fleet.Engine, sink func(fleet.Event)) (fleet.Summary, error) {
		return e.Run(ctx, plan, sink)
	})
}

// operator is who deploys, for whoever finds a host locked.
func (env *Env) operator() string { return env.User + "@" + env.Machine }

// resolve finds the commit of a plan's branch or tag; where it cannot be found here, the plan's own word stays.
func (env *Env) resolve(ctx context.Context, p *fleet.Plan) string {
	name := p.Rev
	if name == "" {
		name = p.Branch
	}
	if p.NoPull || p.Remote == "" || len(p.Rev) == 40 {
		return p.Rev
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if rev, err := env.localGit(ctx, p.Remote, name); err == nil && rev != "" {
		return rev
	}
	return p.Rev
}

// question says what a plan comes to: how many hosts, which, and to which revision.
func question(p *fleet.Plan, hosts []*inventory.Host) string {
	names := make([]string, len(hosts))
	for i, h := range hosts {
		names[i] = h.Name
	}
	at := "at the tip of " + p.Branch
	switch {
	case p.NoPull:
		at = "as checked out"
	case len(p.Rev) == 40:
		at = "at " + tui.Short(p.Rev)
	case p.Rev != "":
		at = "at " + p.Rev
	}
	return fmt.Sprintf("%s %s (%s) of %s %s?", p.Goal, count(len(hosts), "host"), strings.Join(names, ", "), p.Fleet, at)
}

// confirm asks a person; only y and yes are a yes.
func (env *Env) confirm(question string) bool {
	fmt.Fprintf(env.Err, "%s [y/N] ", question)
	answer, err := bufio.NewReader(env.In).ReadString('\n')
	if err != nil {
		fmt.Fprintln(env.Err)
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return true
	}
	return false
}
