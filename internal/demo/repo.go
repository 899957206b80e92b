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
	if err := f.createOrigin(); err != nil {
		return err
	}
	first := map[string]string{"flake.nix": flake, "flake.lock": flakeLock("2026-11-01")}
	third := map[string]string{"flake.lock": flakeLock("2026-11-22")}
	for _, h := range f.hosts {
		first["hosts/"+h.Name] = ""
		third["hosts/"+h.Name] = lines(h.Directives)
	}
	var stream bytes.Buffer
	writeCommit(&stream, "all hosts in one flake", "", first)
	writeCommit(&stream, "flake: newer nixpkgs", "", map[string]string{"flake.lock": flakeLock("2026-11-15")})
	writeCommit(&stream, "flake: newer nixpkgs, vpn-hub 2.1.0", "", third)
	if err := f.importCommits(ctx, &stream, nil); err != nil {
		return err
	}
	_, err := git(ctx, f.Dir, "clone", "-q", f.Origin, f.clone())
	return err
}

// createOrigin creates an empty bare repository: see gitrepository-layout(5).
func (f *Fleet) createOrigin() error {
	for _, dir := range []string{"objects", "refs/heads"} {
		if err := os.MkdirAll(filepath.Join(f.Origin, dir), 0o755); err != nil {
			return err
		}
	}
	if err := write(filepath.Join(f.Origin, "HEAD"), "ref: refs/heads/"+branch+"\n", 0o644); err != nil {
		return err
	}
	const config = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"
	return write(filepath.Join(f.Origin, "config"), config, 0o644)
}

// writeCommit writes a commit to the branch in the format of git-fast-import(1). Its parent is from
// or, if that is empty, the last commit of the stream.
func writeCommit(w io.Writer, subject, from string, files map[string]string) {
	fmt.Fprintf(w, "commit refs/heads/%s\nmark :1\ncommitter Markus <markus@demo.invalid> %d +0000\ndata %d\n%s\n",
		branch, time.Now().Unix(), len(subject), subject)
	if from != "" {
		fmt.Fprintf(w, "from %s\n", from)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(w, "M 100644 inline %s\ndata %d\n%s\n", name, len(files[name]), files[name])
	}
}

// Push replaces the directives of a host's configuration in a new commit of the origin and returns
// the commit's ID. The operator's clone does not have that commit yet.
func (f *Fleet) Push(ctx context.Context, host string, directives ...string) (rev string, err error) {
	var stream, out bytes.Buffer
	writeCommit(&stream, host+": "+strings.Join(directives, ", "), "refs/heads/"+branch+"^0", map[string]string{"hosts/" + host: lines(directives)})
	fmt.Fprintln(&stream, "get-mark :1")
	err = f.importCommits(ctx, &stream, &out)
	return strings.TrimSpace(out.String()), err
}

// importCommits adds commits to the origin. What git prints for them goes to out. They stay in the
// pack that git gets, which takes one process.
func (f *Fleet) importCommits(ctx context.Context, stream io.Reader, out io.Writer) error {
	return runGit(ctx, f.Origin, stream, out, "-c", "fastimport.unpackLimit=0", "fast-import", "--quiet")
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
