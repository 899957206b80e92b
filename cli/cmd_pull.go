package cli

import (
	"github.com/spf13/cobra"

	"github.com/markus-barta/nixfleet/fleet"
)

func newPull(env *Env) *cobra.Command {
	o := runOptions{Options: fleet.Options{Goal: fleet.GoalPull}}
	cmd := &cobra.Command{
		Use:   "pull SELECTOR...",
		Short: "Have hosts pull their configuration, and no more",
		Long: `Have hosts bring their checkout to the commit that a deploy would deploy, and build and activate nothing. A checkout with changes,
or with commits of its own, is left alone and is a failure.

EXIT STATUS

0  every checkout is at the commit
1  a host failed
2  the command line or the inventory is wrong
3  no host failed, some could not be reached, or how they fared is unknown
130  interrupted; jobs on hosts go on`,
		Example: `  fleetctl pull --all
  fleetctl pull @server --rev v2026.11`,
		RunE: func(cmd *cobra.Command, args []string) error {
			inv, hosts, err := o.load(env, cmd, args)
			if err != nil {
				return err
			}
			return o.run(cmd.Context(), env, inv, hosts, func(fleet.Event) {})
		},
	}
	o.flags(cmd, env)
	cmd.Flags().Var((*rev)(&o.Rev), "rev", "the `commit`, branch or tag to pull, instead of the inventory's branch")
	return cmd
}
