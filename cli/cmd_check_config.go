package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet"
)

// withConfig adds --config to check: it checks the table's configuration instead of the inventory.
func withConfig(env *Env, check *cobra.Command, format *checkFormat) *cobra.Command {
	config := false
	check.Flags().BoolVar(&config, "config", false, "check the table's configuration instead: FILE, or the one in use")
	runE := check.RunE
	check.RunE = func(cmd *cobra.Command, args []string) error {
		if !config {
			return runE(cmd, args)
		}
		if slices.ContainsFunc([]string{"flake", "connect", "local"}, cmd.Flags().Changed) {
			return usage("run them separately", "--config cannot be combined with --flake, --connect or --local")
		}
		return runCheckConfig(env, append(args, env.configFile())[0], *format)
	}
	return check
}

func runCheckConfig(env *Env, path string, format checkFormat) error {
	if path == "" {
		_, err := fmt.Fprintln(env.Out, "no config.toml (optional)")
		return err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		var pathErr *fs.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		return exit(fleet.ExitUsage, fmt.Errorf("cannot read the configuration %q: %w", path, err))
	}
	_, findings := parseConfig(path, text)
	if err := format.print(env.Out, findings); err != nil {
		return err
	}
	if len(findings) > 0 {
		return exit(fleet.ExitUsage, nil)
	}
	if format != "json" {
		fmt.Fprintf(env.Out, "%s: ok\n", path)
	}
	return nil
}
