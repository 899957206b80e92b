package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
)

type planOptions struct {
	selection
	fleet.Options
	build  bool
	output string
}

func newPlan(env *Env) *cobra.Command {
	var o planOptions
	cmd := &cobra.Command{
		Use:   "plan SELECTOR...",
		Short: "Show what a deploy would do, and do none of it",
		Long: `Show what a deploy would do on hosts, and do none of it: the commits to come, the commands of each step, what would be built and
downloaded. With --build, every host builds its configuration, and it is shown which packages come, go and change, and
which units the activation would touch, where sudo there asks for no password.

A checkout's files, index and branches stay as they are, those of its remote too. Commits that it lacks are fetched into its
objects, where nothing refers to them; what evaluating or building leaves in the store, a deploy uses or the garbage collector
takes.

EXIT STATUS

0  a deploy could do its work on every host
1  it could not, on at least one host
2  the command line or the inventory is wrong
3  a host could not be reached, but for those with offline = "skip"
130  interrupted`,
		Example: `  fleetctl plan hsb0
  fleetctl plan --all --build
  fleetctl plan @server --rev v2026.11 --output json | jq .builds`,
		RunE: func(cmd *cobra.Command, args []string) error {
			inv, hosts, err := o.load(env, cmd, args)
			if err != nil {
				return err
			}
			return env.visit(cmd.Context(), func(ctx context.Context, d host.Dialer) error { return runPlan(ctx, env, o, d, inv, hosts) })
		},
	}
	o.selection.flags(cmd, env)
	f := cmd.Flags()
	f.StringVar(&o.Goal, "goal", fleet.GoalSwitch, "what would be done with the configuration: `switch`, boot, test, build or pull")
	f.Var((*rev)(&o.Rev), "rev", "the `commit`, branch or tag, instead of the inventory's branch")
	f.BoolVar(&o.NoPull, "no-pull", false, "with every checkout where it is")
	f.BoolVar(&o.build, "build", false, "build, and show what changes")
	parallelFlag(f, &o.Parallel)
	outputFlag(cmd, &o.output, "host")
	return cmd
}

func runPlan(ctx context.Context, env *Env, o planOptions, d host.Dialer, inv *inventory.Inventory, hosts []*inventory.Host) error {
	if o.Goal == fleet.GoalRollback {
		return usage("goals to plan for are switch, boot, test, build and pull", "a rollback has no commits to come")
	}
	plan, err := fleet.NewPlan(inv, hosts, o.Options, env.operator())
	if err != nil {
		return exit(fleet.ExitUsage, err)
	}
	rev := env.resolve(ctx, plan)
	if plan.Rev != "" && len(rev) != 40 {
		return usage("a commit is given with all of its 40 hex digits", "there is no branch or tag %q in %q, as far as the git here can tell", plan.Rev, plan.Remote)
	}
	code := fleet.ExitOK
	lines := jsonLines(env.Out)
	foresee := func(ctx context.Context, h *inventory.Host) host.Forecast {
		return host.Foresee(ctx, d, plan, h, rev, o.build)
	}
	inOrder(ctx, hosts, plan.Parallel, foresee, func(h *inventory.Host, f host.Forecast) {
		if ctx.Err() != nil {
			return
		}
		code = worse(code, planCode(h, f))
		if o.output == outputJSON {
			err = errors.Join(err, lines.Encode(planLine(plan, h, f)))
		} else {
			err = errors.Join(err, printForecast(env, plan, h, f))
		}
	})
	switch {
	case ctx.Err() != nil:
		return exit(fleet.ExitInterrupted, errors.New("interrupted"))
	case err != nil:
		return err
	}
	return exit(code, nil)
}

// planCode is what one host's forecast means for the exit code.
func planCode(h *inventory.Host, f host.Forecast) int {
	if f.Problem != "" {
		return fleet.ExitFailed
	}
	return codeOfHost(h, f.Err)
}

// planJSON is a host in --output json.
type planJSON struct {
	Host     string              `json:"host"`
	Wave     int                 `json:"wave"`
	Revision string              `json:"revision,omitempty"`
	Checkout string              `json:"checkout,omitempty"`
	Commits  []remote.Commit     `json:"commits"`
	Steps    []host.PlannedStep  `json:"steps"`
	Builds   []string            `json:"builds"`
	Fetches  []string            `json:"fetches"`
	Download string              `json:"download,omitempty"`
	From     string              `json:"from,omitempty"`
	Built    string              `json:"built,omitempty"`
	Changes  []remote.Change     `json:"changes,omitempty"`
	Units    []remote.UnitChange `json:"units,omitempty"`
	Code     string              `json:"code,omitempty"`
	Problem  string              `json:"problem,omitempty"`
	Hint     string              `json:"hint,omitempty"`
	Error    string              `json:"error,omitempty"`
}

func planLine(p *fleet.Plan, h *inventory.Host, f host.Forecast) planJSON {
	line := planJSON{
		Host: h.Name, Wave: h.Wave, Revision: f.Revision, Checkout: f.Head, Commits: f.Commits, Steps: host.Commands(p, h, f.Revision),
		Builds: orEmpty(f.Builds), Fetches: orEmpty(f.Fetches), Download: f.Download, From: f.From, Built: f.Built,
		Changes: f.Changes, Units: f.Units, Code: f.Code, Problem: f.Problem, Hint: f.Hint(),
	}
	if line.Commits == nil {
		line.Commits = []remote.Commit{}
	}
	if f.Err != nil {
		line.Error, line.Hint = withoutName(f.Err.Error(), h), hintOf(f.Err)
	}
	return line
}
