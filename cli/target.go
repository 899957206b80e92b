package cli

import (
	"context"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/internal/clean"
	"github.com/markus-barta/nixfleet/tui"
)

// targetEvery is how often the remote is asked where its branch is.
const targetEvery = time.Minute

// followTarget tells the table which commit the fleet should be at, until ctx ends.
func (c *tableController) followTarget(ctx context.Context) {
	if c.inv.Remote == "" {
		return
	}
	pause := time.NewTicker(targetEvery)
	defer pause.Stop()
	for told := ""; ; {
		if rev, err := c.env.askTip(ctx, c.inv.Remote, c.inv.Branch); err != nil && told == "" && ctx.Err() == nil {
			c.table.Note("the git here does not know where the fleet should be: " + err.Error())
			told = err.Error()
		} else if err == nil && rev != "" {
			c.table.Target(c.env.commit(ctx, rev, filepath.Dir(c.inv.Path), c.inv.Remote))
		}
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		case <-c.refreshTarget:
		}
	}
}

func (env *Env) askTip(ctx context.Context, remote, branch string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return env.localGit(ctx, remote, branch)
}

// commit adds the subject and the time of a commit, where one of the directories is a repository that has it: the inventory's own, or a remote
// on this machine.
func (env *Env) commit(ctx context.Context, rev string, dirs ...string) tui.Target {
	at := tui.Target{Revision: rev}
	for _, dir := range dirs {
		cmd := exec.CommandContext(ctx, "git", "-C", dir, "log", "-1", "--format=%ct %s", rev)
		cmd.Env = env.Environ
		out, err := cmd.Output()
		when, subject, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
		if epoch, wrong := strconv.ParseInt(when, 10, 64); err == nil && wrong == nil {
			at.Time, at.Subject = time.Unix(epoch, 0), clean.Line([]byte(subject))
			break
		}
	}
	return at
}
