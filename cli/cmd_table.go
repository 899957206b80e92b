package cli

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/tui"
)

type tableOptions struct {
	readOnly bool
	theme    string
	first    func(*desk) // is done beside the table once it is there; nil for nothing
}

func (o *tableOptions) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.readOnly, "read-only", false, "show the table, and change nothing from it")
	cmd.Flags().StringVar(&o.theme, "theme", "", "draw with this `theme`: terminal, vivid, contrast or plain; the configuration's by default")
}

func newTableCommand(env *Env) *cobra.Command {
	var o tableOptions
	cmd := &cobra.Command{
		Use:   "table",
		Short: "Show the whole fleet live; fleetctl alone does it too",
		Long: `Show the whole fleet live, a line a host, and do from there what the other commands do: ? has the keys.

Hosts are looked at every 30 seconds. What is begun outlives the table: fleetctl attach shows it again, and so does the table when
it is opened the next time. Themes, keys and columns are set in ~/.config/fleetctl/config.toml.

EXIT STATUS

0  it was left
1  the terminal cannot show it
2  the inventory or the configuration is wrong`,
		Example: `  fleetctl
  fleetctl table --read-only
  fleetctl demo`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !env.canShowTable() {
				return &hintedError{err: errors.New("the table needs a terminal"), hint: "fleetctl status prints the same once"}
			}
			return o.open(env, cmd)
		},
	}
	o.flags(cmd)
	return cmd
}

// canShowTable reports whether somebody sits at a terminal that can do more than print.
func (env *Env) canShowTable() bool {
	return env.InTTY && env.OutTTY && env.Getenv("TERM") != "dumb"
}

func (o *tableOptions) open(env *Env, cmd *cobra.Command) error {
	inv, err := loadInventory(env, cmd)
	if err != nil {
		var bad inventory.Findings
		if errors.As(err, &bad) {
			return err
		}
		return exit(fleet.ExitUsage, &hintedError{err: err, hint: "fleetctl init writes a first hosts.toml, fleetctl demo shows a fleet to try"})
	}
	c, err := env.config()
	if err != nil {
		return err
	}
	if o.theme != "" {
		c.Theme = tui.Theme(o.theme)
	}
	if !isTheme(c.Theme) {
		return usage("there are terminal, vivid, contrast and plain", "there is no theme %q", o.theme)
	}
	return runTable(cmd.Context(), env, *o, c, inv)
}

func isTheme(t tui.Theme) bool {
	for _, known := range tui.Themes {
		if t == known {
			return true
		}
	}
	return false
}

// runTable shows the table until it is left. Its work ends with it; the jobs that were begun do not.
func runTable(ctx context.Context, env *Env, o tableOptions, c config, inv *inventory.Inventory) error {
	ctx, leave := signal.NotifyContext(ctx, syscall.SIGHUP) // a terminal that is gone has nobody to press q
	defer leave()
	d := &desk{env: env, inv: inv, refresh: c.Refresh, notify: c.Notify, fixed: o.readOnly, running: map[string]bool{}}
	d.ctx = ctx
	options := tui.TableOptions{
		In: env.In, Out: env.Out, Environ: env.Environ, Profile: env.profile(env.OutTTY), Now: env.Now,
		Inventory: inv, Actions: d.actions(), Settings: c.Settings,
	}
	if o.readOnly {
		options.ReadOnly = "the table was opened with --read-only"
	}
	if env.Passing {
		options.Leaving = []string{"the hosts, and what they are at, end with the table"}
		if env.Kept != "" {
			options.Leaving = append(options.Leaving, "once it is open again, A tells what became of it")
		}
	}
	d.table = tui.NewTable(ctx, options)
	d.begin()
	if o.first != nil {
		d.do(func() { o.first(d) })
	}
	err := d.table.Run()
	if ctx.Err() != nil {
		err = exit(fleet.ExitInterrupted, errors.New("the terminal is gone"))
	}
	leave()
	d.end()
	for run := range d.running {
		if what, how := env.afterwards(run); how != "" {
			fmt.Fprintf(env.Err, "%s:\n  %s\n", what, how)
		}
	}
	return err
}
