package cli

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/internal/clean"
)

// localGit returns the commit of a remote's branch or tag as the operator's git sees it, or "" if
// there is neither. It never prompts for a password.
func (env *Env) localGit(ctx context.Context, remote, name string) (string, error) {
	branch, tag := "refs/heads/"+name, "refs/tags/"+name
	peeled := tag + "^{}" // the commit of an annotated tag
	cmd := exec.CommandContext(ctx, "git", "ls-remote", "--", remote, branch, tag, peeled)
	cmd.Env = slices.Concat([]string{"GIT_SSH_COMMAND=ssh -o BatchMode=yes"}, env.Environ, []string{"GIT_TERMINAL_PROMPT=0"})
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git ls-remote: %w: %s", err, gitReason(clean.Text(stderr.String())))
	}
	return firstRef(string(out), branch, peeled, tag), nil
}

// firstRef returns the commit of the first of some refs that the output of git ls-remote has, or
// "". What is not a commit is ignored: the output comes from the remote.
func firstRef(output string, refs ...string) string {
	found := make(map[string]string)
	for line := range strings.Lines(output) {
		revision, ref, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if fleet.IsCommit(revision) {
			found[ref] = revision
		}
	}
	for _, ref := range refs {
		if found[ref] != "" {
			return found[ref]
		}
	}
	return ""
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
