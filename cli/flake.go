package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/fleet/remote"
	"github.com/markus-barta/nixfleet/internal/clean"
	"github.com/markus-barta/nixfleet/internal/hint"
)

// flakeOutput returns the name of the flake output that holds the hosts of a kind.
func flakeOutput(kind inventory.Kind) string { return string(kind) + "Configurations" }

// flakeHosts evaluates the names of a flake's hosts of a kind, with these arguments for nix. A
// missing output has none.
func flakeHosts(ctx context.Context, env *Env, dir string, kind inventory.Kind, args []string) ([]string, error) {
	out, err := nixOutput(ctx, env, dir, nil, append([]string{
		"eval", "--json", "--no-update-lock-file", ".#" + flakeOutput(kind), "--apply", "builtins.attrNames",
	}, args...)...)
	if nixErr := (*nixError)(nil); errors.As(err, &nixErr) {
		if strings.Contains(nixErr.message, "does not provide attribute") {
			return nil, nil
		}
		return nil, fmt.Errorf("%s of the flake %q cannot be read: %w", flakeOutput(kind), dir, err)
	} else if err != nil {
		return nil, err
	}
	var names []string
	if err := json.Unmarshal(out, &names); err != nil {
		return nil, fmt.Errorf("unexpected output of nix eval: %w", err)
	}
	return names, nil
}

// nixOutput runs the operator's nix in dir, with the variables of environ added to the environment,
// and returns its output. If nix fails, the error is a *nixError.
func nixOutput(ctx context.Context, env *Env, dir string, environ []string, args ...string) ([]byte, error) {
	nix, err := exec.LookPath("nix")
	if err != nil {
		return nil, hint.Errorf("install nix (https://nixos.org/download), or omit --flake", "cannot read a flake: nix not found in PATH")
	}
	cmd := exec.CommandContext(ctx, nix, append([]string{"--extra-experimental-features", "nix-command flakes"}, args...)...)
	cmd.Dir, cmd.Env = dir, slices.Concat(env.Environ, environ)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		message := nixErrorMessage(stderr.String())
		if message == "" {
			message = err.Error()
		}
		advice := cmp.Or(pathHint(dir, message), treeHint(ctx, env, dir, message))
		if remote.IsUnlocked(message) {
			advice = fleet.CodeUnlocked.Hint()
		}
		return nil, &nixError{message, advice}
	}
	return out, nil
}

// nixError is an error that nix printed.
type nixError struct{ message, hint string }

func (e *nixError) Error() string { return e.message }
func (e *nixError) Hint() string  { return e.hint }

// pathHint returns a hint if nix failed because of the characters in the path of the flake's
// directory, which older versions put into a URL without escaping them.
func pathHint(dir, message string) string {
	path, err := filepath.Abs(dir)
	pathFailed := slices.ContainsFunc([]string{"not a valid URL", "%20", "%23", "program 'git' failed"},
		func(sign string) bool { return strings.Contains(message, sign) })
	if err != nil || !pathFailed || !strings.ContainsAny(path, " #") {
		return ""
	}
	return fmt.Sprintf("this version of nix does not support paths with a space or #: use a newer one, or move %q", path)
}

var (
	// A tree with changes has no rev (Nix, src/libfetchers/git.cc), and flakes refuse that in words
	// of their own.
	needsCleanTree = regexp.MustCompile(`'(rev|shortRev|revCount)' missing|(?i:\b(dirty|unclean|uncommitted)\b)`)
	missesFile     = regexp.MustCompile(`No such file or directory|does not exist|not tracked by Git`)
)

// treeHint returns a hint if nix failed because of the state of the repository that has the flake.
func treeHint(ctx context.Context, env *Env, dir, message string) string {
	status := func(untracked string) string {
		return gitOutput(ctx, env, dir, "status", "--porcelain", "--untracked-files="+untracked)
	}
	switch {
	case dir == "":
		return ""
	case needsCleanTree.MatchString(message) && status("no") != "":
		return fmt.Sprintf("the flake needs a clean tree: commit or stash the changes in %q", dir)
	case missesFile.MatchString(message) && strings.Contains(status("normal"), "??"):
		return fmt.Sprintf("nix sees only the files that git tracks: run git add in %q", dir)
	}
	return ""
}

// nixErrorMessage extracts the message after the last "error:" of nix's standard error, as one
// line, without warnings, traces and the advice on how to get one.
func nixErrorMessage(stderr string) string {
	message := clean.Text(stderr)
	if i := strings.LastIndex(message, "error:"); i >= 0 {
		message = message[i+len("error:"):]
	}
	message, _, _ = strings.Cut(message, "(use '--show-trace'")
	return strings.Join(strings.Fields(message), " ")
}
