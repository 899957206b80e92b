package cli

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"charm.land/fang/v2"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/inventory"
)

// Main runs a command line and returns the code to exit with.
func Main(env *Env, args []string) int {
	begun := false
	out := &heard{Writer: env.Out}
	if !env.OutTTY {
		there := *env
		there.Out = out
		env = &there
	}
	root := newRoot(env)
	eachCommand(root, func(c *cobra.Command) {
		if run := c.RunE; run != nil {
			c.RunE = func(c *cobra.Command, args []string) error {
				begun = true
				return run(c, args)
			}
		}
	})
	root.SetArgs(append([]string{}, args...)) // nil would mean the arguments of the process
	err := root.ExecuteContext(context.Background())
	if err == nil && out.failed() != nil {
		err = exit(fleet.ExitFailed, out.failed())
	}
	if err != nil {
		printError(env.Err, env.palette(env.ErrTTY), err)
	}
	return exitCode(err, begun)
}

func newRoot(env *Env) *cobra.Command {
	var table tableOptions
	root := &cobra.Command{
		Use:   "fleetctl",
		Short: "Manage NixOS and macOS hosts over SSH",
		Long: `Fleetctl reads hosts.toml, connects to every NixOS and macOS host at once over SSH, has each pull its own configuration
and switch to it, and shows all of it live. Without a command it opens the table of the whole fleet. Nothing needs to be installed on a host.

The inventory is the file named by --inventory, else by $FLEETCTL_INVENTORY, else hosts.toml here or above, else
~/.config/fleetctl/hosts.toml.

EXIT STATUS

0  all is as wanted
1  a host failed
2  the command line or the inventory is wrong
3  no host failed, some could not be reached
4  a host is not as wanted, where that was asked for
130  interrupted; jobs on hosts go on`,
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
	root.PersistentFlags().String("inventory", "", "the `file` that describes the fleet")
	for _, group := range []struct {
		title    string
		commands []*cobra.Command
	}{
		{"hosts", []*cobra.Command{
			newTable(env), newStatus(env), newPlan(env), newDeploy(env), newRollback(env), newPull(env),
			newReboot(env), newTest(env), newExec(env), newSSH(env),
		}},
		{"runs", []*cobra.Command{newAttach(env), newCancel(env), newHistory(env), newLogs(env)}},
		{"inventory", []*cobra.Command{newCheck(env), newList(env), newInit(env), newSchema(env)}},
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
	tellCompletion(root)
	root.SetFlagErrorFunc(wrongFlag)
	root.Version = version()
	root.SetVersionTemplate("fleetctl {{.Version}}\n")
	root.SetHelpFunc(styledHelp)
	return root
}

const otherCommands = "others"

// styledHelp has fang draw the help that was asked for. Fang is woken only here: it asks the terminal for its background
// colour, which no other command has a use for.
func styledHelp(c *cobra.Command, _ []string) {
	eachCommand(c.Root(), func(c *cobra.Command) {
		c.Long = reflow(c.Long)
		c.Flags().VisitAll(func(f *pflag.Flag) { f.Usage = strings.ReplaceAll(f.Usage, "`", "") })
	})
	// Fang puts its own help function in this one's place and runs the command line again, which comes to help at once.
	_ = fang.Execute(c.Context(), c.Root(), fang.WithoutManpage(), fang.WithoutVersion())
}

// reflow makes one line of each paragraph, for the terminal's width to break it; exit codes and what is indented keep their lines.
func reflow(text string) string {
	var out strings.Builder
	joined := false // the line before can be gone on with
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		prose := line != "" && line[0] != ' ' && !('0' <= line[0] && line[0] <= '9')
		switch {
		case out.Len() == 0:
		case joined && prose:
			out.WriteByte(' ')
		default:
			out.WriteByte('\n')
		}
		out.WriteString(line)
		joined = prose
	}
	return out.String()
}

// newHelp is cobra's help command, but that a command that is not there is an error.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Tell what a command does",
		Long: `Tell what a command does, as --help after it does.

EXIT STATUS

0  it was told
2  there is no such command`,
		Example: "  fleetctl help deploy\n  fleetctl help history compare",
		ValidArgsFunction: func(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			var names []cobra.Completion
			if at, _, err := c.Root().Find(args); err == nil {
				for _, sub := range at.Commands() {
					if sub.IsAvailableCommand() {
						names = append(names, cobra.CompletionWithDesc(sub.Name(), sub.Short))
					}
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			of, rest, err := c.Root().Find(args)
			if err == nil {
				err = unknownCommand(of, rest)
			}
			if err != nil {
				return err
			}
			of.InitDefaultHelpFlag() // so that it is shown
			of.InitDefaultVersionFlag()
			return of.Help()
		},
	}
}

// tellCompletion makes cobra's completion command one like the others.
func tellCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() != "completion" {
			continue
		}
		c.Short = "Print a shell's completion script"
		c.Long = `Print the script that has a shell complete fleetctl's commands, flags, hosts and runs. The --help of each shell says where it goes.

EXIT STATUS

0  it was printed
2  there is no such shell`
		c.Example = "  fleetctl completion fish >~/.config/fish/completions/fleetctl.fish\n  fleetctl completion bash --help"
		c.Args = unknownCommand
		c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	}
}

// wrongFlag adds the mend to what is wrong with a flag.
func wrongFlag(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return err // which says what would be right
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
	return usage(cmp.Or(inventory.DidYouMean("--"+unknown.GetSpecifiedName(), names), c.CommandPath()+" --help lists the flags"), "%w", err)
}

// arguments is how many arguments a command takes.
func arguments(least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if least <= len(args) && len(args) <= most {
			return nil
		}
		of, _, _ := strings.Cut(c.UseLine(), " [flags]")
		return usage(c.CommandPath()+" --help tells more", "it is %q, and %s given", of, were(len(args), "argument"))
	}
}

func were(n int, what string) string {
	if n == 1 {
		return "1 " + what + " was"
	}
	return count(n, what) + " were"
}

func unknownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range c.Commands() {
		names = append(names, sub.Name())
	}
	return usage(cmp.Or(inventory.DidYouMean(args[0], names), c.CommandPath()+" --help lists the commands"), "unknown command %q", args[0])
}

func eachCommand(c *cobra.Command, do func(*cobra.Command)) {
	do(c)
	for _, sub := range c.Commands() {
		eachCommand(sub, do)
	}
}
