package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/change"
	"github.com/markus-barta/nixfleet/fleet/engine"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
	"github.com/markus-barta/nixfleet/internal/hint"
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
		Short: "Show what a deploy would do, without doing it",
		Long: `Show what a deploy would do on hosts, without doing it: the new commits, the commands of each step,
and what would be built and downloaded. With --build, every host builds its configuration, and plan
shows which packages are added, removed and changed and, if sudo needs no password on the host,
which units the activation would touch.

Nothing in a checkout changes: not its files, its index or its branches, including those of its
remote. Missing commits are fetched, but nothing refers to them. What evaluating and building add to
the store is used by a deploy or removed by the garbage collector.

EXIT STATUS

0  a deploy could start on every host
1  a deploy would fail on a host, or cannot be previewed before the first one
2  the command line or the inventory is invalid
3  a host without offline = "skip" could not be reached
130  interrupted`,
		Example: `  fleetctl plan hsb0
  fleetctl plan --all --build
  fleetctl plan @server --rev v2026.11 --output json | jq .builds`,
		RunE: func(cmd *cobra.Command, args []string) error {
			inv, hosts, err := o.load(env, cmd, args)
			if err != nil {
				return err
			}
			return env.withClient(cmd.Context(), inv, hosts, o.Parallel, func(ctx context.Context, c *host.Client) error {
				return runPlan(ctx, env, o, c, hosts)
			})
		},
	}
	o.selection.flags(cmd, env)
	f := cmd.Flags()
	choiceVar(f, &o.Goal, "goal", fleet.GoalSwitch, "plan for this goal",
		fleet.GoalSwitch, fleet.GoalBoot, fleet.GoalTest, fleet.GoalBuild, fleet.GoalPull).hints = map[string]string{
		fleet.GoalRollback: "a rollback has no commits to show; fleetctl rollback --list shows the generations",
	}
	f.Var((*revFlag)(&o.Rev), "rev", "plan for this branch, tag or commit (default: the tip of the inventory's branch)")
	f.BoolVar(&o.NoPull, "no-pull", false, "plan for what each host has checked out")
	f.BoolVar(&o.build, "build", false, "build, and show what changes")
	parallelFlag(f, &o.Parallel)
	outputFlag(f, &o.output, "host")
	nixFlags(cmd, &o.Nix)
	buildOnFlag(cmd, env, &o.BuildOn)
	_ = cmd.RegisterFlagCompletionFunc("rev", completeRevision(env)) // fails only without the flag
	return cmd
}

func runPlan(ctx context.Context, env *Env, o planOptions, c *host.Client, hosts []*inventory.Host) error {
	plan, err := fleet.NewPlan(c.Inventory, hosts, o.Options, env.operator())
	if err != nil {
		return exitUsage(err)
	}
	if plan.Pinned, err = engine.LookUp(ctx, env.localGit, plan); err != nil {
		unreadable, ok := errors.AsType[*engine.UnreadableError](err)
		if !ok {
			return exitUsage(err)
		}
		fmt.Fprintf(env.Err, "fleetctl: %v: each plan is for the commit that git on that host reports\n", unreadable)
		err = nil
	}
	code := fleet.ExitOK
	lines := jsonLines(env.Out)
	query := func(ctx context.Context, h *inventory.Host) host.Preview {
		return c.Preview(ctx, plan, h, o.build)
	}
	inOrder(ctx, hosts, plan.Parallel, query, func(h *inventory.Host, f host.Preview) {
		if ctx.Err() != nil {
			return
		}
		code = worseCode(code, planCode(h, f))
		if o.output == outputJSON {
			err = errors.Join(err, lines.Encode(planLine(plan, h, f)))
		} else {
			err = errors.Join(err, printPreview(env, plan, h, f))
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

// planCode returns the exit code that the preview of one host leads to.
func planCode(h *inventory.Host, f host.Preview) int {
	if f.Problem != "" {
		return fleet.ExitFailed
	}
	return hostExitCode(h, f.Err)
}

// planJSON is a line of --output json.
type planJSON struct {
	Host     string             `json:"host"`
	Wave     int                `json:"wave"`
	Revision string             `json:"revision,omitempty"`
	Checkout string             `json:"checkout,omitempty"`
	Commits  []remote.Commit    `json:"commits"`
	Steps    []host.PlannedStep `json:"steps"`
	Warnings []string           `json:"warnings,omitempty"`
	Builds   []string           `json:"builds"`
	Fetches  []string           `json:"fetches"`
	Download string             `json:"download,omitempty"`
	From     string             `json:"from,omitempty"`
	Built    string             `json:"built,omitempty"`
	Changes  []change.Package   `json:"changes,omitempty"`
	Closure  *change.Closure    `json:"closure,omitempty"`
	Units    []change.Units     `json:"units,omitempty"`
	Code     string             `json:"code,omitempty"`
	Problem  string             `json:"problem,omitempty"`
	Hint     string             `json:"hint,omitempty"`
	Error    string             `json:"error,omitempty"`
}

func planLine(p *fleet.Plan, h *inventory.Host, f host.Preview) planJSON {
	line := planJSON{
		Host: h.Name, Wave: h.Wave, Revision: f.Revision, Checkout: f.Head, Commits: f.Commits, Steps: host.PlannedSteps(p, h, f.Revision),
		Warnings: f.Warnings, Builds: orEmpty(f.Builds), Fetches: orEmpty(f.Fetches), Download: f.Download, From: f.From, Built: f.Built,
		Code: f.Code, Problem: f.Problem, Hint: f.Hint(),
	}
	if c := f.Preview.Changes; c != nil {
		line.Changes, line.Closure, line.Units = c.Packages, c.Closure, c.Units
	}
	if line.Commits == nil {
		line.Commits = []remote.Commit{}
	}
	if f.Err != nil {
		line.Error, line.Hint = withoutName(f.Err.Error(), h), hint.Of(f.Err)
	}
	return line
}
