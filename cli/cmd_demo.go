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
	Tick  time.Duration // the duration of a small step of simulated work
}

func newDemo(env *Env) *cobra.Command {
	o := demoOptions{Hosts: 9, Tick: demo.Tick}
	c := &cobra.Command{
		Use:   "demo [-- COMMAND [ARGS...]]",
		Short: "Try fleetctl on a demo fleet",
		Long: `Start a fleet of SSH servers in this process, on the loopback interface, and run a fleetctl command against it. The default
command is the table with a deploy of the whole fleet in progress or, without a terminal, deploy --all --yes. Each host is a directory
in which /bin/sh runs the scripts it receives, with stand-ins for nix and sudo that behave, and take time, like the real ones. The
build fails on one host.

The fleet lives in a temporary directory that is removed at the end. With --dir it is kept: name a new or empty directory, or one
that an earlier demo used. The demo requires git.

EXIT STATUS

0  without a command: the demo went as intended, with that one failure
1  the fleet did not start

With a command, the exit status is the command's.`,
		Example: `  fleetctl demo
  fleetctl demo -- deploy --all
  fleetctl demo -- exec --all -- uptime
  fleetctl demo --dir ~/fleetctl-demo -- deploy csb0
  fleetctl demo --dir ~/fleetctl-demo -- history`,
		RunE: func(c *cobra.Command, args []string) error { return runDemo(c.Context(), env, o, args) },
	}
	c.Flags().SetInterspersed(false) // flags after the command belong to the command
	c.Flags().Var((*countFlag)(&o.Hosts), "hosts", "start this many hosts")
	c.Flags().Var((*durationFlag)(&o.Tick), "tick", "take this long for a small step of the simulated work")
	pathVar(c.Flags(), &o.Dir, "dir", "DIR", "keep the fleet in this directory, or continue with the one in it")
	return c
}

func runDemo(ctx context.Context, env *Env, o demoOptions, args []string) (err error) {
	if o.Hosts < 1 || o.Hosts > 999 {
		return usage("", "invalid argument \"%d\" for \"--hosts\": must be between 1 and 999", o.Hosts)
	}
	noCommand := len(args) == 0
	explain := noCommand && env.OutTTY
	if noCommand {
		args = []string{"deploy", "--all", "--yes"}
	}
	if o.Dir != "" && !filepath.IsAbs(o.Dir) {
		o.Dir = filepath.Join(env.Dir, o.Dir)
	}
	if o.Dir != "" && inventory.Problem("remote", o.Dir) != "" {
		return usage("choose a path without spaces", "cannot create the demo's repository in %q", o.Dir)
	}

	// Once the fleet has started, the command handles ctrl-c, and the hosts are still removed
	// afterward.
	startCtx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	f, err := demo.Start(startCtx, demo.Options{Dir: o.Dir, Hosts: demo.SampleHosts(o.Hosts), Tick: o.Tick})
	switch {
	case err != nil && startCtx.Err() != nil:
		return exit(fleet.ExitInterrupted, errors.New("interrupted"))
	case err != nil:
		return fmt.Errorf("cannot start the demo fleet: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()

	if explain {
		fmt.Fprintf(env.Err, "This demo runs %d hosts in this process, over real SSH on loopback, with stand-ins for nix and sudo.\n"+
			"A deploy pulls, builds and switches all of them, in waves. The configuration of one does not compile.\n\n", o.Hosts)
	}
	demoEnv := env.forDemo(f)
	demoEnv.Ephemeral, demoEnv.KeptIn = true, o.Dir
	if noCommand && env.canShowTable() {
		err = showDemo(ctx, demoEnv, f)
	} else {
		err = exit(Main(demoEnv, args), nil)
	}
	if explain {
		printNextSteps(env, o.Dir)
	}
	if noCommand && endedAsIntended(demoEnv, f) {
		fmt.Fprintln(env.Err, "\nThe one failure is part of the demo: that host's configuration does not compile.")
		return nil
	}
	return err
}

// endedAsIntended reports whether the newest run failed on the host whose build is meant to fail,
// and on no other.
func endedAsIntended(env *Env, f *demo.Fleet) bool {
	rec, err := env.records().Latest()
	if err != nil || rec == nil {
		return false
	}
	state, err := rec.State()
	if err != nil || state.Summary == nil {
		return false
	}
	for _, h := range state.Hosts {
		if meant := slices.Contains(f.Directives(h.Name), "fail-build"); h.Result == nil || h.Result.Outcome.Good() == meant {
			return false
		}
	}
	return true
}

// showDemo opens the table of the demo fleet and starts a deploy of all hosts.
func showDemo(ctx context.Context, env *Env, f *demo.Fleet) error {
	inv, findings, err := inventory.Load(f.Inventory)
	if err != nil || len(findings) > 0 {
		return errors.Join(err, inventory.Findings(findings))
	}
	c, err := env.config()
	if err != nil {
		return err
	}
	return runTable(ctx, env, tableOptions{onStart: deployDemo}, c, inv)
}

// deployDemo deploys all hosts and notes which keys to try meanwhile.
func deployDemo(c *tableController) {
	plan, err := fleet.NewPlan(c.inv, c.inv.Hosts, fleet.Options{}, c.env.operator())
	if err != nil {
		c.table.Note(err.Error())
		return
	}
	c.table.Note("demo deploy in progress: j and k move, enter opens a host, ? lists the keys, q quits")
	c.runPlan(plan)
	c.table.Note("press enter on a host for details, F to retry failed hosts, : to find any action by name")
}

// forDemo returns the environment in which to operate the demo fleet. It has the fleet's inventory
// and its own home directory, so that real records are not changed and real SSH keys are not
// offered.
func (env *Env) forDemo(f *demo.Fleet) *Env {
	demoEnv := *env
	demoEnv.Home = f.Home
	demoEnv.Environ = slices.Concat(env.Environ, f.Environ())
	demoEnv.Getenv = func(name string) string {
		for _, pair := range slices.Backward(demoEnv.Environ) {
			if value, ok := strings.CutPrefix(pair, name+"="); ok {
				return value
			}
		}
		return ""
	}
	return &demoEnv
}

// printNextSteps suggests commands to run on a demo fleet that is kept.
func printNextSteps(env *Env, dir string) {
	if dir == "" {
		dir = "~/fleetctl-demo"
		fmt.Fprintf(env.Err, "\nThe hosts, their logs and the run's record were removed. To keep them:\n"+
			"  fleetctl demo --dir %s\n", dir)
	}
	fmt.Fprintf(env.Err, "\nTo review the runs of a demo fleet that was kept, and to continue with it:\n"+
		"  fleetctl demo --dir %[1]s -- history\n"+
		"  fleetctl demo --dir %[1]s -- exec @server -- uptime\n", dir)
}
