package cli

import (
	"cmp"
	"context"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet"
	"github.com/markus-barta/nixfleet/fleet/host"
)

func newRollback(env *Env) *cobra.Command {
	o := runOptions{Options: fleet.Options{Goal: fleet.GoalRollback}}
	list := false
	cmd := &cobra.Command{
		Use:   "rollback SELECTOR...",
		Short: "Have hosts run an earlier generation again",
		Long: `Have hosts run the generation before the one that they run, or that of --to, and start it at the next boot, too. Nothing is pulled
and nothing built, so it works without the network and whatever state the checkout is in; the checkout stays where it is.

It is verified and confirmed as a deploy is: a host that cannot be logged in to after it goes back to what it ran.

--list shows which generations hosts have, and begins nothing. In a terminal, the generations of a single host are shown to choose from.

EXIT STATUS

0  every host runs what was asked for, or was listed
1  a host failed
2  the command line or the inventory is wrong
3  no host failed, some could not be reached, or how they fared is unknown
130  interrupted; jobs on hosts go on`,
		Example: `  fleetctl rollback hsb0
  fleetctl rollback hsb0 --list
  fleetctl rollback hsb0 --to 211
  fleetctl rollback @desktop --yes`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("to") && o.To == 0 {
				return usage("generations are numbered from 1", "%d is no generation", o.To)
			}
			if list && o.To > 0 {
				return usage("leave one of them out", "--list goes back to nothing, and --to does")
			}
			inv, hosts, err := o.load(env, cmd, args)
			if err != nil {
				return err
			}
			if list {
				return env.visit(cmd.Context(), func(ctx context.Context, d host.Dialer) error {
					return listGenerations(ctx, env, d, cmp.Or(o.Parallel, inv.Parallel), hosts, o.output)
				})
			}
			if len(hosts) == 1 && env.InTTY && !o.yes && o.To == 0 {
				if o.To, err = chooseGeneration(cmd.Context(), env, hosts[0]); err != nil {
					return err
				}
			}
			return o.run(cmd.Context(), env, inv, hosts, func(fleet.Event) {})
		},
	}
	o.flags(cmd, env)
	o.confirmFlags(cmd)
	cmd.Flags().BoolVar(&list, "list", false, "show the generations, and begin nothing")
	cmd.Flags().Var((*number)(&o.To), "to", "the `generation`, instead of the one before")
	return cmd
}
