package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
	"github.com/markus-barta/nixfleet/internal/demo"
)

type demoOptions struct {
	Hosts int
	Dir   string
	Tick  time.Duration // the pace of the hosts
}

func newDemo(env *Env) *cobra.Command {
	o := demoOptions{Hosts: 9, Tick: demo.Tick}
	c := &cobra.Command{
		Use:   "demo [--hosts N] [--dir DIR] [-- COMMAND [ARGS...]]",
		Short: "Try fleetctl on an embedded fleet",
		Long: `Start a fleet of SSH servers inside this process, on loopback, and run a command of fleetctl against it. Without one, on a
terminal, that is the table, in which a deploy of the whole fleet has begun; elsewhere deploy --all --yes. Each host has a directory
of its own, in which /bin/sh runs what it is sent, beside stand-ins for nix and sudo that behave and take time as the real ones do.
One host fails its build.

The fleet is in a temporary directory, and gone with it, unless --dir names another: a new or empty one, or that of a demo
before. It needs git and nothing else.

EXIT STATUS

That of the command; 1 where the fleet did not start.`,
		Example: `  fleetctl demo
  fleetctl demo -- deploy --all
  fleetctl demo -- exec --all -- uptime
  fleetctl demo --dir ~/fleetctl-demo -- deploy csb0
  fleetctl demo --dir ~/fleetctl-demo -- history`,
		RunE: func(c *cobra.Command, args []string) error { return runDemo(c.Context(), env, o, args) },
	}
	c.Flags().SetInterspersed(false) // what follows the command is the command's
	c.Flags().Var((*number)(&o.Hosts), "hosts", "have `N` hosts")
	c.Flags().StringVar(&o.Dir, "dir", "", "keep the fleet in `DIR`, and go on with the one that is there")
	return c
}

func runDemo(ctx context.Context, env *Env, o demoOptions, args []string) (err error) {
	if o.Hosts < 1 || o.Hosts > 999 {
		return usage("", "--hosts must be from 1 to 999, not %d", o.Hosts)
	}
	alone := len(args) == 0
	told := alone && env.OutTTY
	if alone {
		args = []string{"deploy", "--all", "--yes"}
	}
	if o.Dir != "" && !filepath.IsAbs(o.Dir) {
		o.Dir = filepath.Join(env.Dir, o.Dir)
	}
	if o.Dir != "" && inventory.Problem("remote", o.Dir) != "" {
		return usage("choose one without blanks", "the demo's repository cannot be in %q", o.Dir)
	}

	// Once the fleet is there, what ctrl-c means is the command's business; it must not keep the hosts from being removed.
	starting, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	f, err := demo.Start(starting, demo.Options{Dir: o.Dir, Hosts: demo.SampleHosts(o.Hosts), Tick: o.Tick})
	switch {
	case err != nil && starting.Err() != nil:
		return exit(fleet.ExitInterrupted, errors.New("interrupted"))
	case err != nil:
		return fmt.Errorf("the demo's fleet did not start: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()

	if told {
		fmt.Fprintf(env.Err, "%d hosts of this process, over real SSH on loopback, with stand-ins for nix and sudo. A deploy\n"+
			"pulls, builds and switches all of them, in waves. The configuration of one does not compile.\n\n", o.Hosts)
	}
	there := env.on(f)
	there.Passing, there.Kept = true, o.Dir
	if alone && env.canShowTable() {
		err = showDemo(ctx, there, f)
	} else {
		err = exit(Main(there, args), nil)
	}
	if told {
		sayWhatNext(env, o.Dir)
	}
	return err
}

// showDemo is the table of that fleet, with a deploy of all of it begun.
func showDemo(ctx context.Context, env *Env, f *demo.Fleet) error {
	inv, findings, err := inventory.Load(f.Inventory)
	if err != nil || len(findings) > 0 {
		return errors.Join(err, inventory.Findings(findings))
	}
	c, err := env.config()
	if err != nil {
		return err
	}
	return runTable(ctx, env, tableOptions{first: showAround}, c, inv)
}

// showAround deploys everything, and tells a newcomer what to press meanwhile.
func showAround(d *desk) {
	plan, err := fleet.NewPlan(d.inv, d.inv.Hosts, fleet.Options{}, d.env.operator())
	if err != nil {
		d.table.Note(err.Error())
		return
	}
	d.table.Note("a demo, being deployed: j k move, enter opens a host, ? has all keys, q leaves")
	d.run(plan)
	d.table.Note("enter on a host tells how it went, F tries again where it failed, : has everything by name")
}

// on is the world of somebody who operates that fleet: its inventory, a home of its own, so that no record of real runs
// is touched and no key of theirs is offered.
func (env *Env) on(f *demo.Fleet) *Env {
	there := *env
	there.Home = f.Home
	there.Environ = slices.Concat(env.Environ, f.Environ())
	there.Getenv = func(name string) string {
		for _, pair := range slices.Backward(there.Environ) {
			if value, ok := strings.CutPrefix(pair, name+"="); ok {
				return value
			}
		}
		return ""
	}
	return &there
}

func sayWhatNext(env *Env, dir string) {
	if dir == "" {
		dir = "~/fleetctl-demo"
		fmt.Fprintf(env.Err, "\nThe hosts, their logs and the run's record were in a temporary directory, and are gone. To keep them:\n"+
			"  fleetctl demo --dir %s\n", dir)
	}
	fmt.Fprintf(env.Err, "\nTo look at what happened in a fleet that was kept, and to go on with it:\n"+
		"  fleetctl demo --dir %[1]s -- history\n"+
		"  fleetctl demo --dir %[1]s -- exec @server -- uptime\n", dir)
}
