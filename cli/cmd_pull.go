package cli

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/markus-barta/nixfleet/fleet"
)

func newPull(env *Env) *cobra.Command {
	o := runOptions{Options: fleet.Options{Goal: fleet.GoalPull}}
	cmd := &cobra.Command{
		Use:   "pull SELECTOR...",
		Short: "Have hosts pull their configuration without building it",
		Long: `Have hosts bring their checkout to the commit that a deploy would use, without building or
activating anything. A checkout that has changes or commits of its own is left untouched, and the
host fails.

EXIT STATUS

0  every checkout is at the commit
1  a host failed
2  the command line or the inventory is invalid
3  no host failed, but some could not be reached or their outcome is unknown
130  interrupted; jobs on hosts continue`,
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
	groupFlags(cmd, "Revision", func(f *pflag.FlagSet) {
		f.Var((*revFlag)(&o.Rev), "rev", "pull this branch, tag or commit (default: the tip of the inventory's branch)")
	})
	o.flags(cmd, env)
	_ = cmd.RegisterFlagCompletionFunc("rev", completeRevision(env)) // fails only without the flag
	return cmd
}
