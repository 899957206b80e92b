package cli

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/clean"
	"github.com/markus-barta/nixfleet/internal/hint"
)

// lsRemoteTimeout bounds one question to a remote.
const lsRemoteTimeout = 8 * time.Second

// errNoRemote reports that there is no remote that could be asked.
var errNoRemote = hint.Errorf("set remote in [fleet], or name the commit to deploy: --rev with its 40 hex digits",
	"the inventory has no remote, and is in no git repository that has a flake and a remote")

// localGit returns the commit of a ref, a branch, a tag, or a commit's first digits, as the
// operator's git sees it, or the zero value if there is none. It asks the fleet's remote. If there
// is none, or if git cannot read it here, it asks the remote of the repository that the inventory
// is in. It never prompts for a password.
func (env *Env) localGit(ctx context.Context, from fleet.Source, name string) (fleet.Revision, error) {
	rev, err := fleet.Revision{}, errNoRemote
	if from.Remote != "" {
		rev, err = env.lsRemote(ctx, "", from.Remote, name)
	}
	if err != nil && from.Dir != "" && ctx.Err() == nil {
		if remote, url := env.remoteOf(ctx, from); url != "" && (from.Remote == "" && env.hasFlake(ctx, from.Dir) || sameRepository(url, from.Remote)) {
			other, otherErr := env.lsRemote(ctx, from.Dir, remote, name)
			if otherErr == nil || from.Remote == "" {
				rev, err = other, otherErr
			}
		}
	}
	if err == nil && rev.Commit == "" && from.Dir != "" && commitDigits.MatchString(name) {
		// ls-remote only knows the commits of refs. Hosts find out whether the remote has this one.
		if out, err := env.git(ctx, from.Dir, "rev-parse", "--verify", "--quiet", name+"^{commit}"); err == nil {
			rev.Commit = strings.TrimSpace(out)
		}
	}
	return rev, err
}

var commitDigits = regexp.MustCompile(`^[0-9a-f]{7,40}$`)

// lsRemote asks a remote: a URL, or the name of a remote of the repository in dir.
func (env *Env) lsRemote(ctx context.Context, dir, remote, name string) (fleet.Revision, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, lsRemoteTimeout, fmt.Errorf("no answer within %v", lsRemoteTimeout))
	defer cancel()
	refs := []string{name}
	if !strings.HasPrefix(name, "refs/") {
		refs = []string{"refs/heads/" + name, "refs/tags/" + name}
	}
	args := []string{"ls-remote", "--", remote}
	for _, ref := range refs {
		args = append(args, ref, ref+"^{}") // of an annotated tag, the second is the commit
	}
	out, err := env.git(ctx, dir, args...)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return fleet.Revision{}, fmt.Errorf("git ls-remote: %w", err)
	}
	return firstRef(out, refs), nil
}

// firstRef returns the first of some refs that the output of git ls-remote has, or the zero value.
// The output comes from the remote: what is not a commit is ignored.
func firstRef(output string, refs []string) fleet.Revision {
	found := make(map[string]string)
	for line := range strings.Lines(output) {
		commit, ref, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if fleet.IsCommit(commit) {
			found[ref] = commit
		}
	}
	for _, ref := range refs {
		for _, commit := range []string{found[ref+"^{}"], found[ref]} {
			if commit != "" {
				return fleet.Revision{Commit: commit, Ref: ref}
			}
		}
	}
	return fleet.Revision{}
}

// remoteOf returns the name and the URL of the remote that the fleet's branch comes from in the
// repository that the inventory is in.
func (env *Env) remoteOf(ctx context.Context, from fleet.Source) (name, url string) {
	out, err := env.git(ctx, from.Dir, "config", "branch."+from.Branch+".remote")
	if name = strings.TrimSpace(out); err != nil || name == "" {
		name = "origin"
	}
	out, err = env.git(ctx, from.Dir, "remote", "get-url", "--", name)
	if err != nil {
		return "", ""
	}
	return name, strings.TrimSpace(out)
}

// lacksRemote reports whether there is no remote from which the operator's git could learn the tip
// of the fleet's branch.
func (env *Env) lacksRemote(ctx context.Context, inv *inventory.Inventory) bool {
	if inv.Remote != "" {
		return false
	}
	_, url := env.remoteOf(ctx, sourceOf(inv))
	return url == "" || !env.hasFlake(ctx, inv.Dir())
}

// hasFlake reports whether the repository in dir has a flake, so that the hosts' configuration may
// well be in it. An inventory can also be somewhere else, such as in the operator's dotfiles.
func (env *Env) hasFlake(ctx context.Context, dir string) bool {
	out, err := env.git(ctx, dir, "ls-files", "--", ":(top,glob)**/flake.nix")
	return err == nil && out != ""
}

// sameRepository reports whether two URLs name repositories alike, so that one of them may be
// another way to the other. If it is not, no host finds the commit on its branch.
func sameRepository(a, b string) bool {
	name := func(url string) string {
		url = strings.TrimSuffix(strings.TrimRight(url, "/"), ".git")
		return url[strings.LastIndexAny(url, "/:")+1:]
	}
	return name(a) == name(b)
}

// git runs the operator's git in a directory, or anywhere if dir is "", and returns its output.
func (env *Env) git(ctx context.Context, dir string, args ...string) (string, error) {
	if dir != "" {
		args = append([]string{"-C", dir}, args...)
	}
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Env = slices.Concat([]string{"GIT_SSH_COMMAND=ssh -o BatchMode=yes"}, env.Environ, []string{"GIT_TERMINAL_PROMPT=0"})
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, gitReason(clean.Text(stderr.String())))
	}
	return string(out), nil
}

// gitReason returns the line of git's standard error that says why it failed: the first that begins
// with "fatal:", or the last.
func gitReason(stderr string) string {
	reason := ""
	for line := range strings.Lines(stderr) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "fatal:") {
			return line
		} else if line != "" {
			reason = line
		}
	}
	return reason
}
