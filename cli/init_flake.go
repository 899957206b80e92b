package cli

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// sketchFromFlake takes the hosts from a flake's outputs, and the remote from its repository.
func sketchFromFlake(ctx context.Context, env *Env, dir string) (inventory.Sketch, error) {
	root, err := filepath.Abs(dir)
	if err != nil {
		return inventory.Sketch{}, err
	}
	s := inventory.Sketch{From: "the flake " + homeRelative(env, root), Name: fleetName(env), Repo: homeRelative(env, root)}
	if inventory.Problem("repo", s.Repo) != "" {
		s.Repo = likelyRepo
	}
	if remote := gitSays(ctx, env, root, "remote", "get-url", "origin"); inventory.Problem("remote", remote) == "" {
		s.Remote = remote
	}
	head := gitSays(ctx, env, root, "symbolic-ref", "--short", "refs/remotes/origin/HEAD")
	if branch := strings.TrimPrefix(head, "origin/"); inventory.Problem("branch", branch) == "" {
		s.Branch = branch
	}
	names := taken{}
	for _, kind := range []inventory.Kind{inventory.NixOS, inventory.Darwin, inventory.Home} {
		attrs, err := flakeHosts(ctx, env, dir, kind)
		if err != nil {
			return s, err
		}
		for _, attr := range attrs {
			h, problem := flakeHost(kind, attr, names)
			if problem == "" {
				problem = inventory.Problem("attr", attr)
			}
			if problem == "" {
				problem = names.take(h.Name)
			}
			if problem != "" {
				s.LeftOut = append(s.LeftOut, fmt.Sprintf("%s.%q: %s", flakeOutput(kind), attr, problem))
				continue
			}
			s.Hosts = append(s.Hosts, h)
		}
	}
	if len(s.Hosts) == 0 {
		return s, &hintedError{fmt.Errorf("the flake %q has no hosts", dir), "they are its nixosConfigurations, darwinConfigurations and homeConfigurations"}
	}
	return s, nil
}

// flakeHost makes a host of an attribute. A home on a machine that is a host itself is a host of its own, at the same address.
func flakeHost(kind inventory.Kind, attr string, names taken) (h inventory.Host, problem string) {
	if kind != inventory.Home {
		return inventory.Host{Name: attr, Kind: kind}, ""
	}
	user, machine, _ := strings.Cut(attr, "@")
	if user == "" || machine == "" {
		return h, "it does not say on which host it is, as USER@HOST would"
	}
	h = inventory.Host{Name: machine, Kind: kind, Attr: attr}
	if names[strings.ToLower(machine)] != "" {
		h.Name, h.Address = machine+"-"+user, machine
	}
	return h, ""
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
