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
	nix   inventory.NixArgs
}

func newInit(env *Env) *cobra.Command {
	var o initOptions
	cmd := &cobra.Command{
		Use:   "init [FILE]",
		Short: "Write a first hosts.toml",
		Long: `Write a first inventory, with comments that explain it. Its hosts are those named in ~/.ssh/config or, with --flake, the
nixosConfigurations, darwinConfigurations and homeConfigurations of a flake, with the address and user from its deploy.nodes
(deploy-rs) if it has any. Reading a flake requires nix on this machine; only names are evaluated, not configurations.

An existing file is never changed. The new file passes fleetctl check.

EXIT STATUS

0  the file was written
1  the file could not be written
2  no hosts were found, or the file exists`,
		Example: `  fleetctl init
  fleetctl init --flake ~/Code/nixcfg fleet/hosts.toml
  fleetctl init --flake github:you/nixcfg`,
		Args: arguments(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			flag := inventoryFlag(cmd)
			if err := requireFlake(cmd, o.flake); err != nil {
				return err
			}
			switch {
			case len(args) == 1 && flag != "":
				return usage("use one of them", "cannot use both FILE %q and --inventory %q", args[0], flag)
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
	pathVar(cmd.Flags(), &o.flake, "flake", "DIR", "read hosts from this flake: a directory or a reference such as github:you/nixcfg")
	nixFlags(cmd, &o.nix)
	return cmd
}

func runInit(ctx context.Context, env *Env, o initOptions) error {
	if _, err := os.Lstat(o.file); err == nil {
		return errFileExists(o.file)
	}
	draft, err := draftInventory(ctx, env, o)
	if err != nil {
		return exit(fleet.ExitUsage, err)
	}
	text := draft.TOML()
	if _, findings := inventory.Parse(o.file, text); len(findings) > 0 {
		return fmt.Errorf("not written, because the new inventory would be invalid:\n%w", inventory.Findings(findings))
	}
	if err := writeNewFile(o.file, text); errors.Is(err, fs.ErrExist) {
		return errFileExists(o.file)
	} else if err != nil {
		return err
	}
	fmt.Fprintf(env.Out, "wrote %s with %s from %s\n", o.file, count(len(draft.Hosts), "host"), draft.From)
	if n := len(draft.LeftOut); n > 0 {
		fmt.Fprintf(env.Out, "skipped %s; the end of the file lists the reasons\n", count(n, "name"))
	}
	fmt.Fprintf(env.Out, "review it, then run: fleetctl check --connect\n")
	return nil
}

func errFileExists(file string) error {
	return usage("choose another file, or remove it first", "%q already exists", file)
}

func draftInventory(ctx context.Context, env *Env, o initOptions) (inventory.Draft, error) {
	if o.flake != "" {
		return draftFromFlake(ctx, env, o.flake, o.nix)
	}
	return draftFromSSH(env)
}

// writeNewFile creates a file and, if needed, its directory. It fails with fs.ErrExist if the file
// exists, and leaves no partial file behind on other errors.
func writeNewFile(path string, text []byte) error {
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

// defaultRepo is the path of the checkout if it cannot be derived from the flake.
const defaultRepo = "~/Code/nixcfg"

// fleetName returns a name for the fleet: the operator's.
func fleetName(env *Env) string {
	if inventory.Problem("name", env.User) == "" {
		return env.User
	}
	return "fleet"
}

// homeRelative abbreviates the operator's home directory to ~, since hosts may have it elsewhere.
func homeRelative(env *Env, path string) string {
	if rel, err := filepath.Rel(env.Home, path); env.Home != "" && err == nil && filepath.IsLocal(rel) && rel != "." {
		return "~/" + rel
	}
	return path
}
