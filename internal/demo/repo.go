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

// flake is what the repository holds beside hosts/: enough that a person who looks finds what it would be.
const flake = `# The demo's configuration. Its hosts have a stand-in for nix that knows what this would build.
{
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs = inputs: import ./hosts inputs;
}
`

// lock is a flake.lock of some day.
func lock(day string) string {
	return fmt.Sprintf("{ \"nodes\": { \"nixpkgs\": { \"locked\": { \"lastModified\": %q } }, \"root\": { \"inputs\": { \"nixpkgs\": \"nixpkgs\" } } }, \"root\": \"root\", \"version\": 7 }\n", day)
}

// git runs git in dir, away from the settings of whoever runs the demo, and returns what it prints.
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

// gitIsolation keeps git from the user's and the machine's settings, and gives commits an author.
var gitIsolation = []string{
	"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0",
	"GIT_AUTHOR_NAME=Markus", "GIT_AUTHOR_EMAIL=markus@demo.invalid",
	"GIT_COMMITTER_NAME=Markus", "GIT_COMMITTER_EMAIL=markus@demo.invalid",
}

// seed makes the origin, with the operator's own clone of it, and three commits: what the hosts may run, what they may
// have missed, and what is to be deployed.
func (f *Fleet) seed(ctx context.Context) error {
	if _, err := git(ctx, f.Dir, "init", "-q", "--bare", "--initial-branch="+branch, f.Origin); err != nil {
		return err
	}
	if _, err := git(ctx, f.Dir, "clone", "-q", f.Origin, f.clone()); err != nil {
		return err
	}
	if _, err := git(ctx, f.clone(), "symbolic-ref", "HEAD", "refs/heads/"+branch); err != nil {
		return err
	}
	files := map[string]string{"flake.nix": flake, "flake.lock": lock("2026-11-01")}
	for _, h := range f.hosts {
		files["hosts/"+h.Name] = ""
	}
	if _, err := f.commit(ctx, "all hosts in one flake", files); err != nil {
		return err
	}
	if _, err := f.commit(ctx, "flake: newer nixpkgs", map[string]string{"flake.lock": lock("2026-11-15")}); err != nil {
		return err
	}
	files = map[string]string{"flake.lock": lock("2026-11-22")}
	for _, h := range f.hosts {
		files["hosts/"+h.Name] = lines(h.Words)
	}
	_, err := f.commit(ctx, "flake: newer nixpkgs, vpn-hub 2.1.0", files)
	return err
}

// Push commits new words for a host, whose configuration does them from then on, and returns the commit.
func (f *Fleet) Push(ctx context.Context, host string, words ...string) (rev string, err error) {
	return f.commit(ctx, host+": "+strings.Join(words, ", "), map[string]string{"hosts/" + host: lines(words)})
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

// clone is the operator's own checkout.
func (f *Fleet) clone() string { return filepath.Join(f.Home, "Code", "nixcfg") }

func lines(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return strings.Join(words, "\n") + "\n"
}
