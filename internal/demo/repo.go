package demo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
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
	var stdout bytes.Buffer
	err := runGit(ctx, dir, nil, &stdout, args...)
	return strings.TrimSpace(stdout.String()), err
}

func runGit(ctx context.Context, dir string, stdin io.Reader, stdout io.Writer, args ...string) error {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), gitIsolation...)
	cmd.Env = append(cmd.Env, "HOME="+dir)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("git %s in %q: %w: %s", args[0], dir, err, bytes.TrimSpace(stderr.Bytes()))
	}
	return nil
}

// gitIsolation is an environment in which git ignores the settings of the user and the machine and
// has an author for commits. Without a template, a repository has no sample hooks, which would be
// most of its files.
var gitIsolation = []string{
	"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0", "GIT_TEMPLATE_DIR=",
	"GIT_AUTHOR_NAME=Markus", "GIT_AUTHOR_EMAIL=markus@demo.invalid",
	"GIT_COMMITTER_NAME=Markus", "GIT_COMMITTER_EMAIL=markus@demo.invalid",
}

// createRepository creates the origin with three commits, and the operator's clone of it. Hosts run
// the first or the second; the third is the one to deploy.
func (f *Fleet) createRepository(ctx context.Context) error {
	if _, err := git(ctx, f.Dir, "init", "-q", "--bare", "--initial-branch="+branch, f.Origin); err != nil {
		return err
	}
	first := map[string]string{"flake.nix": flake, "flake.lock": flakeLock("2026-11-01")}
	third := map[string]string{"flake.lock": flakeLock("2026-11-22")}
	for _, h := range f.hosts {
		first["hosts/"+h.Name] = ""
		third["hosts/"+h.Name] = lines(h.Directives)
	}
	var stream bytes.Buffer
	writeCommit(&stream, "all hosts in one flake", first)
	writeCommit(&stream, "flake: newer nixpkgs", map[string]string{"flake.lock": flakeLock("2026-11-15")})
	writeCommit(&stream, "flake: newer nixpkgs, vpn-hub 2.1.0", third)
	if err := runGit(ctx, f.Origin, &stream, nil, "fast-import", "--quiet"); err != nil {
		return err
	}
	_, err := git(ctx, f.Dir, "clone", "-q", f.Origin, f.clone())
	return err
}

// writeCommit writes a commit to the branch in the format of git-fast-import(1). It continues the
// branch that the stream has.
func writeCommit(w io.Writer, subject string, files map[string]string) {
	fmt.Fprintf(w, "commit refs/heads/%s\ncommitter Markus <markus@demo.invalid> %d +0000\ndata %d\n%s\n",
		branch, time.Now().Unix(), len(subject), subject)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(w, "M 100644 inline %s\ndata %d\n%s\n", name, len(files[name]), files[name])
	}
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
