package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/clean"
)

// flakeOutput is the output of a flake that holds the hosts of a kind.
func flakeOutput(kind inventory.Kind) string { return string(kind) + "Configurations" }

// flakeHosts asks the operator's nix which attributes a flake has for hosts of a kind. An output that is not there has none.
func flakeHosts(ctx context.Context, env *Env, dir string, kind inventory.Kind) ([]string, error) {
	nix, err := exec.LookPath("nix")
	if err != nil {
		return nil, &hintedError{errors.New("reading a flake takes nix, and there is none in PATH"), "install it (https://nixos.org/download), or leave --flake out"}
	}
	cmd := exec.CommandContext(ctx, nix, "--extra-experimental-features", "nix-command flakes", "eval", "--json",
		"--no-write-lock-file", ".#"+flakeOutput(kind), "--apply", "builtins.attrNames")
	// From within, so that the directory's name is never read as a URL.
	cmd.Dir, cmd.Env = dir, env.Environ
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		complaint := nixError(said.String())
		if strings.Contains(complaint, "does not provide attribute") {
			return nil, nil
		}
		if complaint == "" {
			complaint = err.Error()
		}
		return nil, fmt.Errorf("%s of the flake %q cannot be read: %s", flakeOutput(kind), dir, complaint)
	}
	var names []string
	if err := json.Unmarshal(out, &names); err != nil {
		return nil, fmt.Errorf("nix did not answer with a list of names: %w", err)
	}
	return names, nil
}

// nixError is what nix says went wrong, without its warnings and its trace: from the last "error:" on, in one line.
func nixError(stderr string) string {
	said := clean.Text(stderr)
	if i := strings.LastIndex(said, "error:"); i >= 0 {
		said = said[i+len("error:"):]
	}
	return strings.Join(strings.Fields(said), " ")
}
