package cli

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
)

func newRollback(env *Env) *cobra.Command {
	o := runOptions{Options: fleet.Options{Goal: fleet.GoalRollback}}
	list := false
	cmd := &cobra.Command{
		Use:   "rollback SELECTOR...",
		Short: "Have hosts run an earlier generation again",
		Long: `Have hosts run the generation before the current one, or --to, and boot into it from now on. Nothing
is pulled or built, so this works without a network and in any state of the checkout, which does not
change.

A rollback is verified and confirmed like a deploy: a host that does not accept a login afterwards
returns to what it ran before.

--list shows the generations of hosts and starts nothing. Without --yes, rollback prompts for
confirmation, and shows the generations of a single host to choose from. If standard input is not a
terminal, --yes is required.

EXIT STATUS

0  every host runs the generation, or was listed
1  a host failed
2  the command line or the inventory is invalid
3  no host failed, but some could not be reached or their outcome is unknown
130  interrupted; jobs on hosts continue`,
		Example: `  fleetctl rollback hsb0
  fleetctl rollback hsb0 --list
  fleetctl rollback hsb0 --to 211
  fleetctl rollback @desktop --yes`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("to") && o.To == 0 {
				return usage("", `invalid argument "0" for "--to": generations are numbered from 1`)
			}
			if list && o.To > 0 {
				return usage("leave out one of them", "--list and --to cannot be combined")
			}
			inv, hosts, err := o.load(env, cmd, args)
			if err != nil {
				return err
			}
			if list {
				return env.withClient(cmd.Context(), inv, hosts, o.Parallel, func(ctx context.Context, c *host.Client) error {
					return listGenerations(ctx, env, c, hosts, o.output)
				})
			}
			if err := env.requireYes(o.yes, "rollback"); err != nil {
				return err
			}
			if len(hosts) == 1 && !o.yes && o.To == 0 {
				if o.To, err = chooseGeneration(cmd.Context(), env, inv, hosts[0]); err != nil {
					return err
				}
			}
			return o.run(cmd.Context(), env, inv, hosts, func(fleet.Event) {})
		},
	}
	groupFlags(cmd, "Generation", func(f *pflag.FlagSet) {
		f.Var((*countFlag)(&o.To), "to", "roll back to this generation (default: the previous one)")
		f.BoolVar(&list, "list", false, "list the generations and start nothing")
	})
	groupFlags(cmd, "Activation", o.confirmFlags)
	o.flags(cmd, env)
	_ = cmd.RegisterFlagCompletionFunc("to", completeGeneration(env)) // fails only without the flag
	return cmd
}
