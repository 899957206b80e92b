package cli

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"github.com/markus-barta/nixfleet/internal/clean"
)

// localGit asks the operator's git which commit a branch or tag of a remote is at; "" where there is none of that name. It
// asks nobody for a password: hosts can be asked instead.
func (env *Env) localGit(ctx context.Context, remote, name string) (string, error) {
	branch, tag := "refs/heads/"+name, "refs/tags/"+name
	peeled := tag + "^{}" // the commit of a tag that is an object of its own
	cmd := exec.CommandContext(ctx, "git", "ls-remote", "--", remote, branch, tag, peeled)
	cmd.Env = slices.Concat([]string{"GIT_SSH_COMMAND=ssh -o BatchMode=yes"}, env.Environ, []string{"GIT_TERMINAL_PROMPT=0"})
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		last := strings.TrimSpace(clean.Text(said.String()))
		return "", fmt.Errorf("git ls-remote: %w: %s", err, last[strings.LastIndexByte(last, '\n')+1:])
	}
	found := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		revision, ref, _ := strings.Cut(strings.TrimSpace(line), "\t")
		found[ref] = revision
	}
	for _, ref := range []string{branch, peeled, tag} {
		if found[ref] != "" {
			return found[ref], nil
		}
	}
	return "", nil
}
