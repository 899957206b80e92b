package demo

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const branch = "main"

// flake is the repository's flake.nix. Only people read it: the stand-in for nix does not evaluate
// it.
const flake = `# The demo's configuration. Its hosts have a stand-in for nix that does not evaluate this file.
{
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs = inputs: import ./hosts inputs;
}
`

// flakeLock returns a flake.lock that locks nixpkgs as of a day.
func flakeLock(day string) string {
	return fmt.Sprintf("{ \"nodes\": { \"nixpkgs\": { \"locked\": { \"lastModified\": %q } }, \"root\": { \"inputs\": { \"nixpkgs\": \"nixpkgs\" } } }, \"root\": \"root\", \"version\": 7 }\n", day)
}

// git runs git in dir without the user's settings and returns its output.
func git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), gitIsolation...)
	cmd.Env = append(cmd.Env, "HOME="+dir)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("git %s in %q: %w: %s", args[0], dir, err, bytes.TrimSpace(stderr.Bytes()))
	}
	return strings.TrimSpace(stdout.String()), nil
}

// gitIsolation is an environment in which git ignores the settings of the user and the machine and
// has an author for commits.
var gitIsolation = []string{
	"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0",
	"GIT_AUTHOR_NAME=Markus", "GIT_AUTHOR_EMAIL=markus@demo.invalid",
	"GIT_COMMITTER_NAME=Markus", "GIT_COMMITTER_EMAIL=markus@demo.invalid",
}

// createRepository creates the origin, the operator's clone of it, and three commits. Hosts run the
// first or the second; the third is the one to deploy.
func (f *Fleet) createRepository(ctx context.Context) error {
	if _, err := git(ctx, f.Dir, "init", "-q", "--bare", "--initial-branch="+branch, f.Origin); err != nil {
		return err
	}
	if _, err := git(ctx, f.Dir, "clone", "-q", f.Origin, f.clone()); err != nil {
		return err
	}
	if _, err := git(ctx, f.clone(), "symbolic-ref", "HEAD", "refs/heads/"+branch); err != nil {
		return err
	}
	files := map[string]string{"flake.nix": flake, "flake.lock": flakeLock("2026-11-01")}
	for _, h := range f.hosts {
		files["hosts/"+h.Name] = ""
	}
	if _, err := f.commit(ctx, "all hosts in one flake", files); err != nil {
		return err
	}
	if _, err := f.commit(ctx, "flake: newer nixpkgs", map[string]string{"flake.lock": flakeLock("2026-11-15")}); err != nil {
		return err
	}
	files = map[string]string{"flake.lock": flakeLock("2026-11-22")}
	for _, h := range f.hosts {
		files["hosts/"+h.Name] = lines(h.Directives)
	}
	_, err := f.commit(ctx, "flake: newer nixpkgs, vpn-hub 2.1.0", files)
	return err
}

// Push replaces the directives of a host's configuration in a new commit and returns the commit's
// ID.
func (f *Fleet) Push(ctx context.Context, host string, directives ...string) (rev string, err error) {
	return f.commit(ctx, host+": "+strings.Join(directives, ", "), map[string]string{"hosts/" + host: lines(directives)})
}

func (f *Fleet) commit(ctx context.Context, subject string, files map[string]string) (rev string, err error) {
	for name, text := range files {
		if err := write(filepath.Join(f.clone(), name), text, 0o644); err != nil {
			return "", err
		}
	}
	for _, args := range [][]string{
		{"add", "--all"},
		{"commit", "-q", "--allow-empty", "-m", subject},
		{"push", "-q", "origin", branch},
	} {
		if _, err := git(ctx, f.clone(), args...); err != nil {
			return "", err
		}
	}
	return git(ctx, f.clone(), "rev-parse", "HEAD")
}

// clone returns the path of the operator's clone.
func (f *Fleet) clone() string { return filepath.Join(f.Home, "Code", "nixcfg") }

// lines returns the directives, one per line.
func lines(directives []string) string {
	if len(directives) == 0 {
		return ""
	}
	return strings.Join(directives, "\n") + "\n"
}
