package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/hint"
	"github.com/markus-barta/nixfleet/tui"
)

type tableOptions struct {
	readOnly bool
	theme    tui.Theme
	onStart  func(*tableController) // runs in the background once the table is open; may be nil
}

func (o *tableOptions) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.readOnly, "read-only", false, "show the fleet without allowing changes")
	choiceVar(cmd.Flags(), &o.theme, "theme", "", "use this theme (default: from config.toml)", tui.Themes...)
}

func newTable(env *Env) *cobra.Command {
	var o tableOptions
	cmd := &cobra.Command{
		Use:   "table",
		Short: "Open the live table of the fleet (the default command)",
		Long: `Show the whole fleet live, one host per line. Everything the other commands do can be done from here: press ? for the keys.

Hosts are polled every 30 seconds. Runs that were started from the table outlive it: fleetctl attach shows them again, and so does
the table the next time it is opened. Themes, keys and columns are set in ~/.config/fleetctl/config.toml.

EXIT STATUS

0  the table was closed
1  the table could not be shown
2  the inventory or the configuration is invalid`,
		Example: `  fleetctl
  fleetctl table --read-only
  fleetctl demo`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !env.canShowTable() {
				return hint.Errorf("fleetctl status prints the same information once", "the table needs a terminal")
			}
			return o.open(env, cmd)
		},
	}
	o.flags(cmd)
	return cmd
}

// firstTime reports whether the table has never been opened on this machine, and notes that it has.
func (env *Env) firstTime() bool {
	path := filepath.Join(filepath.Dir(env.records().Dir), "table-opened")
	if _, err := os.Stat(path); err == nil {
		return false
	}
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = os.WriteFile(path, nil, 0o600)
	}
	return err == nil // if it cannot be noted, the hints would appear each time
}

// canShowTable reports whether input and output are a terminal that can move the cursor.
func (env *Env) canShowTable() bool {
	return env.InTTY && env.OutTTY && env.Getenv("TERM") != "dumb"
}

// open loads the inventory and the configuration, and runs the table.
func (o *tableOptions) open(env *Env, cmd *cobra.Command) error {
	inv, err := loadInventory(env, cmd)
	if err != nil {
		var findings inventory.Findings
		if errors.As(err, &findings) {
			return err
		}
		return exit(fleet.ExitUsage, hint.Wrap(err, "create a hosts.toml with fleetctl init, or try fleetctl demo"))
	}
	c, err := env.config()
	if err != nil {
		return err
	}
	if o.theme != "" {
		c.Theme = o.theme
	}
	return runTable(cmd.Context(), env, *o, c, inv)
}

// runTable shows the table until the operator closes it or the terminal goes away. If the operator
// has edited the inventory, it is shown again with the new one.
func runTable(ctx context.Context, env *Env, o tableOptions, c config, inv *inventory.Inventory) error {
	for {
		reopen, err := showTable(ctx, env, o, c, inv)
		if err != nil || !reopen {
			return err
		}
		var findings inventory.Findings
		inv, findings, err = inventory.Load(inv.Path)
		switch {
		case err != nil:
			return exit(fleet.ExitUsage, err)
		case len(findings) > 0:
			return exit(fleet.ExitUsage, findings)
		}
		o.onStart = nil
	}
}

// showTable shows the table once. It reports whether to show it again. Jobs on hosts keep running;
// the commands that show them again are printed.
func showTable(ctx context.Context, env *Env, o tableOptions, c config, inv *inventory.Inventory) (reopen bool, err error) {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGHUP)
	defer stop()
	controller := &tableController{
		env: env, inv: inv, refresh: c.Refresh, notify: c.Notify, readOnly: o.readOnly,
		ctx: ctx, runs: map[string]bool{},
	}
	options := tui.TableOptions{
		In: env.In, Out: env.Out, Environ: env.Environ, Profile: env.profile(env.OutTTY), Now: env.Now,
		Inventory: inv, Actions: controller.actions(), Settings: c.Settings,
	}
	options.Settings.FirstTime = env.firstTime()
	if o.readOnly {
		options.ReadOnly = "the table was opened with --read-only"
	}
	if env.Ephemeral {
		options.Leaving = []string{"the demo's hosts and their jobs stop when you leave"}
		if env.KeptIn != "" {
			options.Leaving = append(options.Leaving, "reopen the table and press A to see the outcome")
		}
	}
	controller.table = tui.NewTable(ctx, options)
	controller.start()
	if o.onStart != nil {
		controller.background(func() { o.onStart(controller) })
	}
	err = controller.table.Run()
	if ctx.Err() != nil {
		err = exit(fleet.ExitInterrupted, errors.New("the terminal was closed"))
	}
	stop()
	for _, run := range controller.wait() {
		if status, hint := env.jobsAfterExit(run); hint != "" {
			fmt.Fprintf(env.Err, "%s:\n  %s\n", status, hint)
		}
	}
	return controller.table.Reopen(), err
}
