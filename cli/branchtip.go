package cli

import (
	"context"
	"errors"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/clean"
	"github.com/markus-barta/nixfleet/tui"
)

// branchTipInterval is the time between two queries for the tip of the inventory's branch.
const branchTipInterval = time.Minute

// followTarget shows the tip of the inventory's branch in the table, and updates it until ctx is
// done.
func (c *tableController) followTarget(ctx context.Context) {
	ticker := time.NewTicker(branchTipInterval)
	defer ticker.Stop()
	for reported := false; ; {
		rev, err := c.env.branchTip(ctx, c.inv)
		if errors.Is(err, errNoRemote) {
			return
		}
		if err != nil && !reported && ctx.Err() == nil {
			c.table.Note("cannot read the fleet's branch: " + err.Error())
			reported = true
		} else if err == nil && rev != "" {
			c.table.Target(c.env.describeCommit(ctx, rev, c.inv.Dir(), c.inv.Remote))
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-c.refreshTarget:
		}
	}
}

// branchTip returns the commit of the fleet's branch as the operator's git sees it, or "".
func (env *Env) branchTip(ctx context.Context, inv *inventory.Inventory) (string, error) {
	rev, err := env.localGit(ctx, sourceOf(inv), "refs/heads/"+inv.Branch)
	return rev.Commit, err
}

func sourceOf(inv *inventory.Inventory) fleet.Source {
	return fleet.Source{Remote: inv.Remote, Dir: inv.Dir(), Branch: inv.Branch}
}

// describeCommit returns a commit with its subject and time, if one of dirs is in a repository that
// has it.
func (env *Env) describeCommit(ctx context.Context, rev string, dirs ...string) tui.Target {
	target := tui.Target{Revision: rev}
	for _, dir := range dirs {
		cmd := exec.CommandContext(ctx, "git", "-C", dir, "log", "-1", "--format=%ct %s", rev)
		cmd.Env = env.Environ
		out, err := cmd.Output()
		when, subject, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
		if epoch, parseErr := strconv.ParseInt(when, 10, 64); err == nil && parseErr == nil {
			target.Time, target.Subject = time.Unix(epoch, 0), clean.Line([]byte(subject))
			break
		}
	}
	return target
}

// gitLog returns the output of a git command that reads commits, in the first repository at hand
// that has them, or "".
func (env *Env) gitLog(ctx context.Context, inv *inventory.Inventory, args ...string) string {
	for _, dir := range []string{inv.Dir(), inv.Remote} {
		if dir == "" {
			continue
		}
		if out, err := env.git(ctx, dir, args...); err == nil {
			return strings.TrimSpace(clean.Text(out))
		}
	}
	return ""
}
