package cli

import (
	"cmp"
	"context"

	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet"
)

type rollbackOptions struct {
	runOptions
	list bool
}

func newRollback(env *Env) *cobra.Command {
	o := rollbackOptions{runOptions: runOptions{Options: fleet.Options{Goal: fleet.GoalRollback}}}
	cmd := &cobra.Command{
		Use:   "rollback SELECTOR...",
		Short: "Have hosts run an earlier generation again",
		Long: `Have hosts run the generation before the one that they run, or that of --to, and start it at the next boot, too. Nothing is pulled
and nothing built, so it works without the network and whatever state the checkout is in; the checkout stays where it is.

It is verified and confirmed as a deploy is: a host that cannot be logged in to after it goes back to what it ran.

--list shows the generations that hosts have, and changes nothing: when each was made, from which revision as far as that is known,
which one the next boot or login starts (current), and with which one this boot began (booted). On a terminal, where one host
is named and neither --to nor --yes given, the list is shown, and it is asked which generation it shall be.

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
			if o.To < 0 || cmd.Flags().Changed("to") && o.To == 0 {
				return usage("generations are numbered from 1", "%d is no generation", o.To)
			}
			if o.list && o.To > 0 {
				return usage("leave one of them out", "--list goes back to nothing, and --to does")
			}
			inv, hosts, err := o.load(env, cmd, args)
			if err != nil {
				return err
			}
			if o.list {
				return env.visit(cmd.Context(), func(ctx context.Context, d fleet.Dialer) error {
					return listGenerations(ctx, env, o.output, d, cmp.Or(o.Parallel, inv.Parallel), hosts)
				})
			}
			if env.InTTY && !o.yes && o.To == 0 && o.WaitOnline == 0 && len(hosts) == 1 {
				if o.To, err = chooseGeneration(cmd.Context(), env, hosts[0]); err != nil {
					return err
				}
			}
			return o.run(cmd.Context(), env, inv, hosts, func(fleet.Event) {})
		},
	}
	o.flags(cmd, env)
	o.confirmFlags(cmd)
	cmd.Flags().BoolVar(&o.list, "list", false, "show which generations there are, and change nothing; with --output json, a host a line")
	cmd.Flags().IntVar(&o.To, "to", 0, "the `generation`, instead of the one before")
	return cmd
}
