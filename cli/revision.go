package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/engine"
	"github.com/markus-barta/nixfleet/fleet/host"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

var errNothingStarted = exit(fleet.ExitInterrupted, errors.New("nothing was started"))

// chooseRevision returns the commit that a plan deploys, or the zero value if no host pulls. If the
// operator's git cannot read the fleet's branch, and if it may prompt, it shows what the hosts
// report, and lets the operator decide.
func (env *Env) chooseRevision(ctx context.Context, inv *inventory.Inventory, p *fleet.Plan, prompt bool) (fleet.Revision, error) {
	rev, err := engine.LookUp(ctx, env.localGit, p)
	unreadable, ok := errors.AsType[*engine.UnreadableError](err)
	switch {
	case err == nil:
		return rev, nil
	case !ok || !prompt:
		return rev, exitUsage(err)
	}
	var tips hostTips
	err = env.withClient(ctx, inv, p.Hosts(), p.Parallel, func(ctx context.Context, c *host.Client) error {
		tips = askTips(ctx, c, p.Hosts())
		return ctx.Err()
	})
	if err != nil {
		return rev, err
	}
	fmt.Fprintf(env.Err, "%v\ngit on the hosts reports for %s:\n", unreadable, p.Branch)
	for i, commit := range tips.commits {
		fmt.Fprintf(env.Err, "  %d  %s\n", i+1, env.describeTip(ctx, inv, commit))
	}
	for _, line := range tips.silent {
		fmt.Fprintf(env.Err, "     %s\n", line)
	}
	at := 0
	switch len(tips.commits) {
	case 0:
		return rev, exitUsage(unreadable)
	case 1: // the prompt before the run names it
	default:
		fmt.Fprintf(env.Err, "Which commit should all hosts get? [1-%d, none] ", len(tips.commits))
		answer, err := readLine(env.In)
		if at, err = strconv.Atoi(answer); err != nil || at < 1 || at > len(tips.commits) {
			fmt.Fprintln(env.Err)
			return rev, errNothingStarted
		}
		at--
	}
	return fleet.Revision{Commit: tips.commits[at].commit, Ref: "refs/heads/" + p.Branch}, nil
}

// hostTips is what hosts report as the tip of the fleet's branch.
type hostTips struct {
	commits []commitOfHosts // the one that most hosts report first
	silent  []string        // about the hosts that cannot tell, a line each
}

// commitOfHosts is a commit and the hosts that report it.
type commitOfHosts struct {
	commit string
	hosts  []string
}

// askTips asks hosts for the tip of the fleet's branch.
func askTips(ctx context.Context, c *host.Client, hosts []*inventory.Host) hostTips {
	reported := make(map[string]host.Tip)
	c.Tips(ctx, hosts, func(t host.Tip) { reported[t.Host] = t })
	var tips hostTips
	for _, h := range hosts {
		t := reported[h.Name]
		if t.Err != nil {
			tips.silent = append(tips.silent, h.Name+": "+host.Reason(t.Err, h))
			continue
		}
		at := slices.IndexFunc(tips.commits, func(c commitOfHosts) bool { return c.commit == t.Commit })
		if at < 0 {
			at = len(tips.commits)
			tips.commits = append(tips.commits, commitOfHosts{commit: t.Commit})
		}
		tips.commits[at].hosts = append(tips.commits[at].hosts, h.Name)
	}
	slices.SortStableFunc(tips.commits, func(a, b commitOfHosts) int { return cmp.Compare(len(b.hosts), len(a.hosts)) })
	return tips
}

// describeTip returns a commit, the hosts that report it, and its subject if the repository that
// the inventory is in has it.
func (env *Env) describeTip(ctx context.Context, inv *inventory.Inventory, c commitOfHosts) string {
	text := fmt.Sprintf("%s  %s", c.commit, someHosts(c.hosts))
	subject := "unknown here"
	if target := env.describeCommit(ctx, c.commit, inv.Dir()); !target.Time.IsZero() {
		subject = strconv.Quote(target.Subject)
	}
	return strings.Join([]string{text, subject}, "  ")
}
