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
	"slices"
	"strings"

	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/hint"
	"github.com/markus-barta/nixfleet/nix"
)

// draftFromFlake returns a draft of an inventory with the hosts of a flake's outputs. If the
// flake is a directory, it also has the remote and the branch of its repository.
func draftFromFlake(ctx context.Context, env *Env, flake string, args inventory.NixArgs) (inventory.Draft, error) {
	s, dir, ref := inventory.Draft{Name: fleetName(env), Repo: defaultRepo}, flake, "."
	if _, err := os.Stat(flake); errors.Is(err, fs.ErrNotExist) && strings.Contains(flake, ":") {
		s.From, dir, ref = "the flake "+flake, "", flake
	} else if err := draftCheckout(ctx, env, flake, &s); err != nil {
		return s, err
	}
	evaluated, err := evalFleet(ctx, env, dir, ref, args)
	if err != nil {
		return s, fmt.Errorf("the flake %q cannot be read: %w", flake, err)
	}
	evaluated.addTo(&s)
	if len(s.Hosts) == 0 {
		return s, hint.Errorf("hosts are the attributes of nixosConfigurations, darwinConfigurations and homeConfigurations", "the flake %q has no hosts", flake)
	}
	return s, nil
}

// addTo adds the hosts to a draft.
func (f flakeFleet) addTo(s *inventory.Draft) {
	leaveOut := func(output, attr, reason string) {
		s.LeftOut = append(s.LeftOut, fmt.Sprintf("%s.%q: %s", output, attr, reason))
	}
	for _, h := range f.Hosts {
		if reason := h.problem(); reason != "" {
			leaveOut(flakeOutput(h.Kind), cmp.Or(h.Attr, h.Name), reason)
			continue
		}
		s.Hosts = append(s.Hosts, inventory.Host{Name: h.Name, Kind: h.Kind, Attr: h.Attr, Address: h.Address, User: h.User})
	}
	for _, out := range f.LeftOut {
		leaveOut(out.Output, out.Attr, out.Why)
	}
}

// draftCheckout sets what evaluating the flake does not tell: its path, remote and branch.
func draftCheckout(ctx context.Context, env *Env, dir string, s *inventory.Draft) error {
	root, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	s.From = "the flake " + homeRelative(env, root)
	if repo := homeRelative(env, root); inventory.Problem("repo", repo) == "" {
		s.Repo = repo
	}
	if remote := gitOutput(ctx, env, root, "remote", "get-url", "origin"); inventory.Problem("remote", remote) == "" {
		s.Remote = remote
	}
	head := gitOutput(ctx, env, root, "symbolic-ref", "--short", "refs/remotes/origin/HEAD")
	if branch := strings.TrimPrefix(head, "origin/"); inventory.Problem("branch", branch) == "" {
		s.Branch = branch
	}
	return nil
}

// flakeFleet is the result of fleetFromFlake in nix/lib.nix.
type flakeFleet struct {
	Hosts   []flakeHost
	LeftOut []struct{ Output, Attr, Why string }
}

type flakeHost struct {
	Name, Attr, Address, User string
	Kind                      inventory.Kind
}

// problem returns why the host's names are not valid in an inventory, or "" if they are. Nix allows
// any text.
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

// flakeURLVariable is the environment variable that passes the flake's URL to nix, so that it need
// not be quoted in a Nix expression.
const flakeURLVariable = "FLEETCTL_FLAKE"

// evalFleet evaluates a flake with nix, as far as is needed for the names of its hosts.
func evalFleet(ctx context.Context, env *Env, dir, ref string, args inventory.NixArgs) (found flakeFleet, err error) {
	// Only nix can resolve a reference such as "." in a directory of a repository.
	out, err := nixOutput(ctx, env, dir, nil, append([]string{"flake", "metadata", "--json", "--no-write-lock-file", ref}, args.CommandLine()...)...)
	if err != nil {
		return found, err
	}
	var meta struct{ ResolvedURL string }
	if err := json.Unmarshal(out, &meta); err != nil {
		return found, fmt.Errorf("unexpected output of nix flake metadata: %w", err)
	}
	// Some versions of Nix do not escape paths in URLs.
	url := strings.NewReplacer(" ", "%20", "#", "%23").Replace(meta.ResolvedURL)
	if slices.Contains(args.Words, "--override-input") {
		out, err = evalOverridden(ctx, env, dir, url, args)
	} else {
		out, err = nixOutput(ctx, env, dir, []string{flakeURLVariable + "=" + url}, append([]string{"eval", "--impure", "--json", "--expr",
			fmt.Sprintf("(%s).fleetFromFlake (builtins.getFlake (builtins.getEnv %q))", nix.Lib, flakeURLVariable)}, args.CommandLine()...)...)
	}
	if err != nil {
		return found, err
	}
	if err := json.Unmarshal(out, &found); err != nil {
		return found, fmt.Errorf("unexpected output of nix eval: %w", err)
	}
	return found, nil
}

// evalOverridden evaluates a flake some of whose inputs are overridden. builtins.getFlake has no
// overrides, so the flake becomes the input of another one.
func evalOverridden(ctx context.Context, env *Env, dir, url string, args inventory.NixArgs) ([]byte, error) {
	wrapper, err := os.MkdirTemp("", "fleetctl-init-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(wrapper)
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "${", `\${`).Replace(url)
	text := fmt.Sprintf("{\n  inputs.fleet.url = \"%s\";\n  outputs = { self, fleet }: { found = (%s).fleetFromFlake fleet; };\n}\n", quoted, nix.Lib)
	if err := os.WriteFile(filepath.Join(wrapper, "flake.nix"), []byte(text), 0o600); err != nil {
		return nil, err
	}
	inner := inventory.NixArgs{Options: args.Options, Words: slices.Clone(args.Words)}
	for i, word := range inner.Words[:len(inner.Words)-1] {
		if word == "--override-input" {
			inner.Words[i+1] = "fleet/" + inner.Words[i+1]
		}
	}
	return nixOutput(ctx, env, dir, nil, append([]string{"eval", "--impure", "--json", "--no-write-lock-file", "path:" + wrapper + "#found"}, inner.CommandLine()...)...)
}

// usedNames holds the names in use, by lower-case name: the names of files may be case-insensitive.
type usedNames map[string]string

// use adds a name, or returns why it cannot be a host's name.
func (u usedNames) use(name string) (problem string) {
	if problem := inventory.NameProblem(name); problem != "" {
		return problem
	}
	key := strings.ToLower(name)
	if u[key] != "" {
		return fmt.Sprintf("the name %q is taken", u[key])
	}
	u[key] = name
	return ""
}

// gitOutput runs git in a checkout and returns its output, or "" if it fails.
func gitOutput(ctx context.Context, env *Env, dir string, args ...string) string {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.Env = dir, env.Environ
	out, err := cmd.Output()
	if err != nil {
		return ""
	}
	return string(bytes.TrimSpace(out))
}
