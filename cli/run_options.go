package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/health"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// runOptions are those of every command that has the engine change hosts.
type runOptions struct {
	selection
	view
	fleet.Options
	yes bool
}

func (o *runOptions) flags(cmd *cobra.Command, env *Env) {
	o.selection.flags(cmd, env)
	o.view.flags(cmd)
	f := cmd.Flags()
	parallelFlag(f, &o.Parallel)
	f.Var((*length)(&o.WaitOnline), "wait-online", "wait for hosts that are away, for this `time` at most, while the others go on")
	f.BoolVar(&o.yes, "yes", false, "do not ask; without a terminal nobody is asked")
}

func (o *runOptions) confirmFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.Confirm, "confirm", "", "`who` may keep what was activated: operator (over a new login), self (the host alone) or none (it is kept, whatever happens)")
	o.ConfirmTimeout = fleet.DefaultConfirmTimeout
	f.Var((*limit)(&o.ConfirmTimeout), "confirm-timeout", "go back where nobody has confirmed for this `time`")
	f.BoolVar(&o.Detach, "detach", false, "leave when every job has begun; hosts confirm by themselves")
	f.BoolVar(&o.StealLock, "steal-lock", false, "end the job of another run that a host is at work on, unless that activates already")
}

func (o *runOptions) waveFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.Var(&o.Canary, "canary", "let `N or P%` of the first wave go before the rest of it")
	f.Var((*length)(&o.Soak), "soak", "let this `time` pass between two waves, and look at the first again")
	f.Var(&o.MaxFailures, "max-failures", "begin no more hosts once more than `N or P%` of the run have failed")
	f.Var(&o.MaxWaveFailures, "max-wave-failures", "begin no more hosts once more than `N or P%` of a wave have failed")
	f.StringVar(&o.OnFailure, "on-failure", fleet.OnFailureHalt, "where a wave fails, `halt`, continue, or roll its hosts back: rollback-wave")
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
	where := "at the tip of " + p.Branch
	switch {
	case p.Goal == fleet.GoalRollback && p.To > 0:
		where = fmt.Sprintf("to generation %d", p.To)
	case p.Goal == fleet.GoalRollback:
		where = "to the generation before"
	case p.NoPull:
		where = "as checked out"
	case len(p.Rev) == 40:
		where = "at " + health.Short(p.Rev)
	case p.Rev != "":
		where = "at " + p.Rev
	}
	return fmt.Sprintf("%s %s (%s) of %s %s?", p.Goal, count(len(hosts), "host"), strings.Join(names, ", "), p.Fleet, where)
}

// confirm asks a person; only y and yes are a yes.
func (env *Env) confirm(question string) bool {
	fmt.Fprintf(env.Err, "%s [y/N] ", question)
	answer, err := readLine(env.In)
	if err != nil {
		fmt.Fprintln(env.Err)
	}
	switch strings.ToLower(answer) {
	case "y", "yes":
		return true
	}
	return false
}
