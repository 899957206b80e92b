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

// withConfig gives check its --config: the table's settings, instead of the inventory.
func withConfig(env *Env, check *cobra.Command, format *checkFormat) *cobra.Command {
	config := false
	check.Flags().BoolVar(&config, "config", false, "prove the table's settings instead: FILE, else those in effect here")
	others := check.RunE
	check.RunE = func(cmd *cobra.Command, args []string) error {
		if !config {
			return others(cmd, args)
		}
		if slices.ContainsFunc([]string{"flake", "connect", "local"}, cmd.Flags().Changed) {
			return usage("check them one after the other", "--config is for the settings alone")
		}
		return runCheckConfig(env, append(args, env.configFile())[0], *format)
	}
	return check
}

func runCheckConfig(env *Env, path string, format checkFormat) error {
	if path == "" {
		_, err := fmt.Fprintln(env.Out, "there is no config.toml, and nothing is wrong with that")
		return err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		var because *fs.PathError
		if errors.As(err, &because) {
			err = because.Err
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
