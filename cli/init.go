package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

type initOptions struct {
	file  string
	flake string
}

func newInit(env *Env) *cobra.Command {
	var o initOptions
	cmd := &cobra.Command{
		Use:   "init [FILE]",
		Short: "Write a first hosts.toml",
		Long: `Write a first inventory, with comments for whoever goes on with it: from the hosts that ~/.ssh/config names or, with
--flake, from the nixosConfigurations, darwinConfigurations and homeConfigurations of a flake, and the address and user that
its deploy.nodes (of deploy-rs) has for them. That takes nix here; no configuration is evaluated, only names are.

A file that exists is never touched. What is written passes fleetctl check.

EXIT STATUS

0  the file was written
1  it could not be
2  there was nothing to make it from, or it exists`,
		Example: `  fleetctl init
  fleetctl init --flake ~/Code/nixcfg fleet/hosts.toml
  fleetctl init --flake github:you/nixcfg`,
		Args: arguments(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			flag, err := cmd.Flags().GetString("inventory")
			if err != nil {
				return err
			}
			switch {
			case len(args) == 1 && flag != "":
				return usage("leave one of them out", "both %q and --inventory %q were given", args[0], flag)
			case len(args) == 1:
				o.file = args[0]
			case flag != "":
				o.file = flag
			default:
				o.file = inventory.FileName
			}
			return runInit(cmd.Context(), env, o)
		},
	}
	cmd.Flags().StringVar(&o.flake, "flake", "", "take hosts from this `flake`: a directory, or a reference like github:you/nixcfg")
	return cmd
}

func runInit(ctx context.Context, env *Env, o initOptions) error {
	if _, err := os.Lstat(o.file); err == nil {
		return existsAlready(o.file)
	}
	sketch, err := sketchFleet(ctx, env, o)
	if err != nil {
		return exit(fleet.ExitUsage, err)
	}
	text := sketch.TOML()
	if _, findings := inventory.Parse(o.file, text); len(findings) > 0 {
		return fmt.Errorf("what would be written has findings of its own, so it was not:\n%w", inventory.Findings(findings))
	}
	if err := writeNew(o.file, text); errors.Is(err, fs.ErrExist) {
		return existsAlready(o.file)
	} else if err != nil {
		return err
	}
	fmt.Fprintf(env.Out, "%s: written, with %s from %s\n", o.file, count(len(sketch.Hosts), "host"), sketch.From)
	if n := len(sketch.LeftOut); n > 0 {
		fmt.Fprintf(env.Out, "%s left out; the end of the file says why\n", count(n, "name"))
	}
	fmt.Fprintf(env.Out, "look it over, then: fleetctl check --connect\n")
	return nil
}

func existsAlready(file string) error {
	return usage("name another file, or remove that one yourself", "%q exists already", file)
}

func sketchFleet(ctx context.Context, env *Env, o initOptions) (inventory.Draft, error) {
	if o.flake != "" {
		return sketchFromFlake(ctx, env, o.flake)
	}
	return sketchFromSSH(env)
}

// writeNew writes a file that is not there yet, whole or not at all; its directory may have to be made, as ~/.config/fleetctl.
func writeNew(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// likelyRepo is where a checkout is when nothing tells.
const likelyRepo = "~/Code/nixcfg"

// fleetName is a name for a fleet that nobody has named: the operator's.
func fleetName(env *Env) string {
	if inventory.Problem("name", env.User) == "" {
		return env.User
	}
	return "fleet"
}

// homeRelative writes a path with ~/ where it is in the operator's home: hosts have it elsewhere.
func homeRelative(env *Env, path string) string {
	if rel, err := filepath.Rel(env.Home, path); env.Home != "" && err == nil && filepath.IsLocal(rel) && rel != "." {
		return "~/" + rel
	}
	return path
}
