package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/nix"
)

// sketchFromFlake takes the hosts from a flake's outputs and, where the flake is a directory, the remote from its repository.
func sketchFromFlake(ctx context.Context, env *Env, flake string) (inventory.Draft, error) {
	s, dir, ref := inventory.Draft{Name: fleetName(env), Repo: likelyRepo}, flake, "."
	if _, err := os.Stat(flake); errors.Is(err, fs.ErrNotExist) && strings.Contains(flake, ":") {
		s.From, dir, ref = "the flake "+flake, "", flake
	} else if err := sketchCheckout(ctx, env, flake, &s); err != nil {
		return s, err
	}
	found, err := evalFleet(ctx, env, dir, ref)
	if err != nil {
		return s, fmt.Errorf("the flake %q cannot be read: %w", flake, err)
	}
	leaveOut := func(output, attr, why string) {
		s.LeftOut = append(s.LeftOut, fmt.Sprintf("%s.%q: %s", output, attr, why))
	}
	for _, h := range found.Hosts {
		if why := h.problem(); why != "" {
			leaveOut(flakeOutput(h.Kind), cmp.Or(h.Attr, h.Name), why)
			continue
		}
		s.Hosts = append(s.Hosts, inventory.Host{Name: h.Name, Kind: h.Kind, Attr: h.Attr, Address: h.Address, User: h.User})
	}
	for _, left := range found.LeftOut {
		leaveOut(left.Output, left.Attr, left.Why)
	}
	if len(s.Hosts) == 0 {
		return s, &hintedError{fmt.Errorf("the flake %q has no hosts", flake), "they are its nixosConfigurations, darwinConfigurations and homeConfigurations"}
	}
	return s, nil
}

// sketchCheckout takes from a directory what a flake in it cannot say: where it is, and where it comes from.
func sketchCheckout(ctx context.Context, env *Env, dir string, s *inventory.Draft) error {
	root, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	s.From = "the flake " + homeRelative(env, root)
	if repo := homeRelative(env, root); inventory.Problem("repo", repo) == "" {
		s.Repo = repo
	}
	if remote := gitSays(ctx, env, root, "remote", "get-url", "origin"); inventory.Problem("remote", remote) == "" {
		s.Remote = remote
	}
	head := gitSays(ctx, env, root, "symbolic-ref", "--short", "refs/remotes/origin/HEAD")
	if branch := strings.TrimPrefix(head, "origin/"); inventory.Problem("branch", branch) == "" {
		s.Branch = branch
	}
	return nil
}

// flakeFleet is what fleetFromFlake of nix/lib.nix makes of a flake.
type flakeFleet struct {
	Hosts   []flakeHost
	LeftOut []struct{ Output, Attr, Why string }
}

type flakeHost struct {
	Name, Attr, Address, User string
	Kind                      inventory.Kind
}

// problem is why an inventory cannot have the host, or "": Nix takes any text for a name.
func (h flakeHost) problem() string {
	if why := inventory.NameProblem(h.Name); why != "" {
		return why
	}
	for _, v := range []struct{ key, text string }{{"attr", h.Attr}, {"address", h.Address}, {"user", h.User}} {
		if why := inventory.Problem(v.key, v.text); v.text != "" && why != "" {
			return v.key + " " + why
		}
	}
	return ""
}

// flakeVariable has the flake's URL, which so need not become part of a Nix expression.
const flakeVariable = "FLEETCTL_FLAKE"

// evalFleet has nix evaluate a flake, as far as the names of its hosts.
func evalFleet(ctx context.Context, env *Env, dir, ref string) (found flakeFleet, err error) {
	// What a reference given here means, such as "." in a directory of a repository, nix alone knows.
	out, err := nixSays(ctx, env, dir, nil, "flake", "metadata", "--json", "--no-write-lock-file", ref)
	if err != nil {
		return found, err
	}
	var meta struct{ ResolvedURL string }
	if err := json.Unmarshal(out, &meta); err != nil {
		return found, fmt.Errorf("nix did not answer with a flake's metadata: %w", err)
	}
	// Some versions of Nix leave in a path what a URL cannot have.
	url := strings.NewReplacer(" ", "%20", "#", "%23").Replace(meta.ResolvedURL)
	out, err = nixSays(ctx, env, dir, []string{flakeVariable + "=" + url}, "eval", "--impure", "--json", "--expr",
		fmt.Sprintf("(%s).fleetFromFlake (builtins.getFlake (builtins.getEnv %q))", nix.Lib, flakeVariable))
	if err != nil {
		return found, err
	}
	if err := json.Unmarshal(out, &found); err != nil {
		return found, fmt.Errorf("nix did not answer with hosts: %w", err)
	}
	return found, nil
}

// taken are the names in use, by what they are on a file system that ignores case.
type taken map[string]string

// take claims a name, or says why it cannot be a host's.
func (t taken) take(name string) (problem string) {
	if problem := inventory.NameProblem(name); problem != "" {
		return problem
	}
	key := strings.ToLower(name)
	if t[key] != "" {
		return fmt.Sprintf("the name %q is taken", t[key])
	}
	t[key] = name
	return ""
}

// gitSays asks the operator's git about a checkout; "" where it does not know.
func gitSays(ctx context.Context, env *Env, dir string, args ...string) string {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.Env = dir, env.Environ
	out, err := cmd.Output()
	if err != nil {
		return ""
	}
	return string(bytes.TrimSpace(out))
}
