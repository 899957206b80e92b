package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/clean"
	"github.com/markus-barta/nixfleet/internal/hint"
)

// flakeOutput is the output of a flake that holds the hosts of a kind.
func flakeOutput(kind inventory.Kind) string { return string(kind) + "Configurations" }

// flakeHosts asks the operator's nix which attributes a flake has for hosts of a kind. An output that is not there has none.
func flakeHosts(ctx context.Context, env *Env, dir string, kind inventory.Kind) ([]string, error) {
	out, err := nixSays(ctx, env, dir, nil, "eval", "--json", "--no-write-lock-file", ".#"+flakeOutput(kind), "--apply", "builtins.attrNames")
	if complaint := (*nixComplaint)(nil); errors.As(err, &complaint) {
		if strings.Contains(complaint.said, "does not provide attribute") {
			return nil, nil
		}
		return nil, fmt.Errorf("%s of the flake %q cannot be read: %w", flakeOutput(kind), dir, err)
	} else if err != nil {
		return nil, err
	}
	var names []string
	if err := json.Unmarshal(out, &names); err != nil {
		return nil, fmt.Errorf("nix did not answer with a list of names: %w", err)
	}
	return names, nil
}

// nixSays gives what the operator's nix prints, called within dir, with more in its environment.
func nixSays(ctx context.Context, env *Env, dir string, environ []string, args ...string) ([]byte, error) {
	nix, err := exec.LookPath("nix")
	if err != nil {
		return nil, hint.Errorf("install it (https://nixos.org/download), or leave --flake out", "reading a flake takes nix, and there is none in PATH")
	}
	cmd := exec.CommandContext(ctx, nix, append([]string{"--extra-experimental-features", "nix-command flakes"}, args...)...)
	cmd.Dir, cmd.Env = dir, slices.Concat(env.Environ, environ)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		complaint := nixError(said.String())
		if complaint == "" {
			complaint = err.Error()
		}
		return nil, &nixComplaint{complaint, pathHint(dir, complaint)}
	}
	return out, nil
}

// nixComplaint is why nix did not do as it was told, in its own words.
type nixComplaint struct{ said, hint string }

func (c *nixComplaint) Error() string { return c.said }
func (c *nixComplaint) Hint() string  { return c.hint }

// pathHint is the mend where nix stumbled over the path of the flake's directory: older versions take it for part of a URL.
func pathHint(dir, complaint string) string {
	path, err := filepath.Abs(dir)
	stumbled := slices.ContainsFunc([]string{"not a valid URL", "%20", "%23", "program 'git' failed"},
		func(sign string) bool { return strings.Contains(complaint, sign) })
	if err != nil || !stumbled || !strings.ContainsAny(path, " #") {
		return ""
	}
	return fmt.Sprintf("this version of nix takes no path with a space or a # in it: use a newer one, or move %q", path)
}

// nixError is what nix says went wrong, without its warnings, its trace and how to get one: from the last "error:" on, in one line.
func nixError(stderr string) string {
	said := clean.Text(stderr)
	if i := strings.LastIndex(said, "error:"); i >= 0 {
		said = said[i+len("error:"):]
	}
	said, _, _ = strings.Cut(said, "(use '--show-trace'")
	return strings.Join(strings.Fields(said), " ")
}
