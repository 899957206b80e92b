package cli

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// loadInventory reads the inventory found by --inventory, the environment or the working directory.
// If it has findings, the error holds all of them.
func loadInventory(env *Env, cmd *cobra.Command) (*inventory.Inventory, error) {
	inv, err := readInventory(env, cmd)
	if err == nil {
		env.findLocal(cmd.Context(), inv)
	}
	return inv, err
}

// readInventory reads the inventory, but does not look for local hosts in it.
func readInventory(env *Env, cmd *cobra.Command) (*inventory.Inventory, error) {
	path, err := inventory.Locate(inventoryFlag(cmd), env.Getenv, env.Dir, env.Home)
	if err != nil {
		return nil, exit(fleet.ExitUsage, err)
	}
	inv, findings, err := inventory.Load(path)
	if err != nil {
		return nil, exit(fleet.ExitUsage, err)
	}
	if len(findings) > 0 {
		return nil, exit(fleet.ExitUsage, inventory.Findings(findings))
	}
	return inv, nil
}

// inventoryFlag returns the value of --inventory.
func inventoryFlag(cmd *cobra.Command) string { return cmd.Flag("inventory").Value.String() }

// selection decides which hosts a command runs on: those of a selector or, only with --all, all of
// them.
type selection struct{ all bool }

func (s *selection) flags(cmd *cobra.Command, env *Env) {
	groupFlags(cmd, "Selection", s.flag)
	cmd.ValidArgsFunction = completeSelector(env)
}

func (s *selection) flag(f *pflag.FlagSet) {
	f.BoolVar(&s.all, "all", false, "select every host of the inventory")
}

// load reads the inventory and selects the hosts.
func (s *selection) load(env *Env, cmd *cobra.Command, exprs []string) (*inventory.Inventory, []*inventory.Host, error) {
	if !s.all && len(exprs) == 0 {
		return nil, nil, usage("name hosts, tags or kinds (hsb0, @server, kind:home), or use --all", "no hosts selected")
	}
	return s.loadOrAll(env, cmd, exprs)
}

// loadOrAll is like load, for a command that runs on all hosts also without --all.
func (s *selection) loadOrAll(env *Env, cmd *cobra.Command, exprs []string) (*inventory.Inventory, []*inventory.Host, error) {
	if s.all && len(exprs) > 0 {
		return nil, nil, usage("use one of them", "cannot use both --all and the selector %q", strings.Join(exprs, " "))
	}
	return loadHosts(env, cmd, exprs)
}

// loadHosts reads the inventory and selects hosts: all of them if there is no selector.
func loadHosts(env *Env, cmd *cobra.Command, exprs []string) (*inventory.Inventory, []*inventory.Host, error) {
	inv, err := loadInventory(env, cmd)
	if err != nil {
		return nil, nil, err
	}
	if len(exprs) == 0 {
		return inv, inv.Hosts, nil
	}
	hosts, err := inv.Select(exprs...)
	if err != nil {
		return nil, nil, exit(fleet.ExitUsage, err)
	}
	return inv, hosts, nil
}
