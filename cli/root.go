package cli

import (
	"cmp"
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// Main runs a command line and returns the exit code.
func Main(env *Env, args []string) int {
	started := false
	out := &errWriter{Writer: env.Out}
	if !env.OutTTY {
		watched := *env
		watched.Out = out
		env = &watched
	}
	root := newRoot(env)
	eachCommand(root, func(c *cobra.Command) {
		if run := c.RunE; run != nil {
			c.RunE = func(c *cobra.Command, args []string) error {
				started = true
				return run(c, args)
			}
		}
	})
	root.SetArgs(append([]string{}, args...)) // cobra takes nil for the arguments of the process
	err := root.ExecuteContext(context.Background())
	if err == nil && out.Err() != nil {
		err = exit(fleet.ExitFailed, out.Err())
	}
	if err != nil {
		printError(env.Err, env.palette(env.ErrTTY), err)
	}
	return exitCode(err, started)
}

func newRoot(env *Env) *cobra.Command {
	var table tableOptions
	root := &cobra.Command{
		Use:   "fleetctl",
		Short: "Manage NixOS and macOS hosts over SSH",
		Long: `Fleetctl reads hosts.toml, connects to all NixOS and macOS hosts at once over SSH, has each pull
and switch to its own configuration, and shows all of it live. Without a command it opens the table
of the whole fleet. Nothing needs to be installed on a host.

The inventory is the file named by --inventory, otherwise by $FLEETCTL_INVENTORY, otherwise
hosts.toml in this directory or one above it, otherwise ~/.config/fleetctl/hosts.toml.

EXIT STATUS

0  success
1  a host failed
2  the command line or the inventory is invalid
3  no host failed, but some could not be reached
4  a host has drifted, if the command was asked to check for that
130  interrupted; jobs on hosts continue`,
		Example: `  fleetctl
  fleetctl check
  fleetctl deploy hsb0 hsb1
  fleetctl exec @server -- uptime
  fleetctl demo -- deploy --all`,
		SilenceUsage:      true,
		SilenceErrors:     true,
		DisableAutoGenTag: true,
		Args:              unknownCommand,
		RunE: func(c *cobra.Command, _ []string) error {
			if !env.canShowTable() {
				return c.Help()
			}
			return table.open(env, c)
		},
	}
	table.flags(root)
	root.SetIn(env.In)
	root.SetOut(env.Out)
	root.SetErr(env.Err)
	inventoryPath := ""
	root.PersistentFlags().VarP(&pathFlag{&inventoryPath, "FILE"}, "inventory", "i", "the inventory, hosts.toml")
	for _, group := range []struct {
		title    string
		commands []*cobra.Command
	}{
		{"Hosts", []*cobra.Command{
			newTable(env), newStatus(env), newPlan(env), newDeploy(env), newRollback(env), newPull(env),
			newReboot(env), newTest(env), newExec(env), newSSH(env),
		}},
		{"Runs", []*cobra.Command{newAttach(env), newCancel(env), newHistory(env), newLogs(env)}},
		{"Inventory", []*cobra.Command{newCheck(env), newList(env), newInit(env), newSchema(env)}},
		{otherCommands, []*cobra.Command{newAgent(env), newDemo(env), newVersion(env), newMan(env)}},
	} {
		root.AddGroup(&cobra.Group{ID: group.title, Title: group.title})
		for _, c := range group.commands {
			c.GroupID = group.title
			root.AddCommand(c)
		}
	}
	root.SetHelpCommand(newHelp())
	root.SetHelpCommandGroupID(otherCommands)
	root.SetCompletionCommandGroupID(otherCommands)
	describeCompletion(root)
	root.SetFlagErrorFunc(flagError)
	root.Version = version()
	root.SetVersionTemplate("fleetctl {{.Version}}\n")
	root.SetHelpFunc(func(c *cobra.Command, _ []string) {
		_ = printHelp(env, c) // the errWriter keeps the error
	})
	eachCommand(root, func(c *cobra.Command) {
		c.Flags().SortFlags = false
		completeFlags(c)
	})
	return root
}

const otherCommands = "Other"

// arguments returns a check that a command is given between least and most arguments.
func arguments(least, most int) cobra.PositionalArgs {
	check := cobra.RangeArgs(least, most)
	switch {
	case least == most:
		check = cobra.ExactArgs(most)
	case least == 0:
		check = cobra.MaximumNArgs(most)
	}
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			form, _, _ := strings.Cut(c.UseLine(), " [flags]")
			return usage("usage: "+form, "%s %w", c.CommandPath(), err)
		}
		return nil
	}
}

func unknownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range c.Commands() {
		names = append(names, sub.Name())
	}
	suggestion := cmp.Or(inventory.DidYouMean(args[0], names), c.CommandPath()+" --help lists the commands")
	return usage(suggestion, "unknown command %q for %q", args[0], c.CommandPath())
}

func eachCommand(c *cobra.Command, do func(*cobra.Command)) {
	do(c)
	for _, sub := range c.Commands() {
		eachCommand(sub, do)
	}
}
