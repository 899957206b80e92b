package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// nixFlags declares the flags for arguments of nix.
func nixFlags(cmd *cobra.Command, args *inventory.NixArgs) {
	groupFlags(cmd, "Nix", func(f *pflag.FlagSet) {
		f.Var(nixOptionFlag(args), "nix-option", "set this setting of nix.conf(5) for evaluations and builds; may be repeated")
		f.Var(overrideFlag(args), "override-input", "use another flake for this input, as nix build does; may be repeated")
		f.Var(&nixSwitch{args, "impure", false}, "impure", "let evaluations read files and the environment")
		f.Var(&nixSwitch{args, "accept-flake-config", false}, "accept-flake-config", "accept the nixConfig of the flake")
		f.Var(&nixSwitch{args, "fallback", false}, "fallback", "build what a substituter cannot deliver")
		for _, name := range []string{"impure", "accept-flake-config", "fallback"} {
			f.Lookup(name).NoOptDefVal = "true"
		}
	})
}

// buildOnFlag declares --build-on.
func buildOnFlag(cmd *cobra.Command, env *Env, host *string) {
	groupFlags(cmd, "Nix", func(f *pflag.FlagSet) {
		f.Var((*builderFlag)(host), "build-on", `build on this host of the inventory or, with "host", on each host itself (default: build in the inventory)`)
	})
	// It fails only without the flag.
	_ = cmd.RegisterFlagCompletionFunc("build-on", completeBuilder(env))
}

// builderFlag is the value of a flag that names a host that builds.
type builderFlag string

func (b *builderFlag) String() string { return string(*b) }
func (b *builderFlag) Type() string   { return "HOST" }

func (b *builderFlag) Set(s string) error {
	if s == "" {
		return errors.New(`must be "host" or the name of a host`)
	}
	*b = builderFlag(s)
	return nil
}

// requireFlake reports flags of nix on a command that evaluates nothing, because it has no --flake.
func requireFlake(cmd *cobra.Command, flake string) error {
	for _, name := range []string{"nix-option", "override-input", "impure", "accept-flake-config", "fallback"} {
		if flake == "" && cmd.Flags().Changed(name) {
			return usage("add --flake DIR", "--%s requires --flake: nothing else is evaluated", name)
		}
	}
	return nil
}

// pairFlag is the value of a flag that may be repeated, each time with a pair.
type pairFlag struct {
	form, example string
	add           func(left, right string) error
}

func (f pairFlag) String() string { return "" }
func (f pairFlag) Type() string   { return f.form }

func (f pairFlag) Set(s string) error {
	left, right, found := strings.Cut(s, "=")
	if !found {
		return fmt.Errorf("must be %s, as in %s", f.form, f.example)
	}
	return f.add(left, right)
}

// nixOptionFlag returns the value of --nix-option.
func nixOptionFlag(args *inventory.NixArgs) pairFlag {
	return pairFlag{"NAME=VALUE", "connect-timeout=5", func(name, value string) error {
		if err := inventory.CheckNixOption(name, value); err != nil {
			return err
		}
		args.Options = append(args.Options, inventory.NixOption{Name: name, Value: value})
		return nil
	}}
}

// overrideFlag returns the value of --override-input.
func overrideFlag(args *inventory.NixArgs) pairFlag {
	return pairFlag{"INPUT=URL", "nixpkgs=github:NixOS/nixpkgs/nixos-unstable", func(input, url string) error {
		if err := inventory.CheckOverride(input, url); err != nil {
			return err
		}
		args.Words = append(args.Words, "--override-input", input, url)
		return nil
	}}
}

// nixSwitch is the value of a flag of nix that takes none.
type nixSwitch struct {
	args *inventory.NixArgs
	name string
	on   bool
}

func (f *nixSwitch) Type() string   { return "bool" }
func (f *nixSwitch) String() string { return strconv.FormatBool(f.on) }

func (f *nixSwitch) Set(s string) error {
	on, err := strconv.ParseBool(s)
	if err != nil || !on || f.on {
		return err
	}
	f.on = true
	flag, _, argErr := inventory.ParseBuildArgs([]string{"--" + f.name})
	if argErr != nil {
		return argErr
	}
	*f.args = f.args.With(flag)
	return nil
}
